"""An append-only JSONL file: an append is on disk when it returns, and an incomplete last line is dropped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from sea_core.errors import RunError, at
from sea_core.runs.atomic import disk_errors

WRITE_INTERVAL = 1.0
"""Seconds between two writes of `append_stream`."""


class JsonlLog:
    """Records of one kind, one JSON object per line.

    Args:
        required: the keys that every record has.
    """

    def __init__(self, path: Path, required: Collection[str] = ()) -> None:
        self.path, self.required = path, frozenset(required)

    def read(self) -> list[dict[str, Any]]:
        """Return every complete record. Raises RunError for a corrupt line; an incomplete last line is ignored."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")
        return [self._parse(line, number) for number, line in enumerate(lines[:-1], 1)]

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        problem = "it is not a JSON object"
        try:
            record = json.loads(line)
            if isinstance(record, dict) and not (missing := self.required - record.keys()):
                return record
            if isinstance(record, dict):
                problem = f"missing keys: {', '.join(sorted(missing))}"
        except ValueError as error:
            problem = str(error)
        raise RunError(
            f"this line is not a record of {self.path.name}: {problem}",
            hint="Delete the line, then re-run the same command to make its record again.",
            where=at(self.path, number),
        )

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write records; they are on disk when this returns."""
        text = "".join(json.dumps(record) + "\n" for record in records)
        with disk_errors(self.path), self.path.open("a+b") as file:
            _drop_incomplete_line(file)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def append_stream(self, records: Iterable[Mapping[str, Any]]) -> Iterator[int]:
        """Write records as they arrive, about once a second, since each write waits for the disk.

        Yields the number of records written each time. Records that have arrived are also written if `records`
        raises, or if the caller stops early.
        """
        pending: list[Mapping[str, Any]] = []
        last_write = time.monotonic()
        try:
            for record in records:
                pending.append(record)
                if time.monotonic() - last_write >= WRITE_INTERVAL:
                    self.append(pending)
                    count, pending, last_write = len(pending), [], time.monotonic()
                    yield count
        finally:
            if pending:
                self.append(pending)
        if pending:
            yield len(pending)


def _drop_incomplete_line(file: BinaryIO) -> None:
    """Cut off what a kill left after the last line end: it was never reported as written."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
