"""An append-only JSONL file that survives a kill: an append is on disk when it returns, a torn last line is dropped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from sea_core.errors import RunError, at
from sea_core.runs.atomic import disk_errors

EVERY = 1.0
"""Seconds between two writes of `keep`."""


class JsonlLog:
    """Rows of one kind, one JSON object a line. `needs` are the keys that each of them has."""

    def __init__(self, path: Path, needs: Collection[str] = ()) -> None:
        self.path, self.required = path, frozenset(needs)

    def read(self) -> list[dict[str, Any]]:
        """Return every whole row. Raises RunError for a line that is torn in the middle of the file."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")
        rows = []
        for number, line in enumerate(lines[:-1], 1):
            rows.append(self._parse(line, number))
        return rows

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        problem = "it holds something else"
        try:
            row = json.loads(line)
            if isinstance(row, dict) and not (lacks := self.required - row.keys()):
                return row
            if isinstance(row, dict):
                problem = f"it lacks {', '.join(sorted(lacks))}"
        except ValueError as error:
            problem = str(error)
        raise RunError(
            f"this line is not a row of {self.path.name}: {problem}",
            hint="Delete the line, and the same command will make it again.",
            where=at(self.path, number),
        )

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows and wait until they are on disk."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with disk_errors(self.path), self.path.open("a+b") as file:
            self._drop_torn_tail(file)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def append_stream(self, rows: Iterable[dict[str, Any]]) -> Iterator[int]:
        """Write rows as they come, at least once a second, for each write waits for the disk; yields how many.

        What has come is written also when `rows` raises, or when nobody asks for more.
        """
        fresh: list[dict[str, Any]] = []
        stored = time.monotonic()
        try:
            for row in rows:
                fresh.append(row)
                if time.monotonic() - stored >= EVERY:
                    self.append(fresh)
                    count, fresh, stored = len(fresh), [], time.monotonic()
                    yield count
        finally:
            if fresh:
                self.append(fresh)
        if fresh:
            yield len(fresh)

    @staticmethod
    def _drop_torn_tail(file: Any) -> None:
        """Cut off what a kill left behind the last line end: it was never reported as done."""
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
