"""A journal: an append-only JSONL file whose lines are checked. An append is on disk when it returns.

Each line carries a checksum of its bytes, so that a line that was changed, or added by hand, is never counted. An
incomplete last line, which a kill leaves behind, is dropped: it was never reported as written.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Generic

from pydantic import ValidationError
from typing_extensions import TypeVar

from sea_core.errors import RunError, at
from sea_core.runs.atomic import DAMAGED, atomic_write, disk_errors
from sea_core.runs.digests import sha256
from sea_core.schema import adapter, describe, read_bytes

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Mapping[str, Any], default=Mapping[str, Any])

WRITE_SHARE = 0.05
"""The share of its time that `append_stream` may spend on writing, since each write waits for the disk."""
CHECKSUM = b', "checksum": "'
CHECKSUM_DIGITS = 16


class JsonlLog(Generic[T]):
    """Records of one kind, one JSON object per line.

    Args:
        schema: the type of each record, such as a TypedDict; by default any JSON object.
        key: the keys that identify a record. Of several lines with the same values the last one counts.
        earlier: a journal that this one continues: its records are read first.
    """

    def __init__(
        self,
        path: Path,
        schema: type[T] | None = None,
        key: Sequence[str] = (),
        earlier: JsonlLog[T] | None = None,
    ) -> None:
        self.path, self.schema, self.key, self.earlier = path, schema, tuple(key), earlier

    def elsewhere(self, folder: Path) -> JsonlLog[T]:
        """Return the journal of the same name and kind in another folder."""
        return JsonlLog(folder / self.path.name, self.schema, self.key)

    def continued_in(self, folder: Path) -> JsonlLog[T]:
        """Return this journal as it goes on in another folder: what is appended is written there."""
        return JsonlLog(folder / self.path.name, self.schema, self.key, earlier=self)

    def read(self, *, skip_damaged: bool = False) -> list[T]:
        """Return every record, each once, in the order in which they were first written.

        Args:
            skip_damaged: leave damaged lines out, for a caller that reports them itself.

        Raises:
            RunError: a line is not what was written, or not a record of this kind.
        """
        return list(self._read(skip_damaged).values())

    def _read(self, skip_damaged: bool) -> dict[Any, T]:
        """Return the records by their keys, or by where they are where they have none."""
        records = self.earlier._read(skip_damaged) if self.earlier else dict[Any, T]()
        self._add(self._lines(), 1, records, skip_damaged)
        return records

    def _add(self, lines: Iterable[bytes], first: int, records: dict[Any, T], skip_damaged: bool) -> None:
        """Add the records of lines, of which the first has this number."""
        for number, line in enumerate(lines, first):
            try:
                record = self._parse(line)
            except ValueError as error:
                if skip_damaged:
                    continue
                raise RunError(
                    f"this line is damaged: {error}",
                    hint="Re-run the command that wrote it: it puts the line aside and makes its record again.",
                    where=at(self.path, number),
                ) from error
            records[tuple(record[name] for name in self.key) or (self.path, number)] = record

    def append(self, records: Iterable[T]) -> None:
        """Write records; they are on disk when this returns."""
        data = b"".join(_seal(record) for record in records)
        with disk_errors(self.path), self.path.open("a+b") as file:
            _drop_incomplete_line(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def append_stream(self, records: Iterable[T], at_once: Callable[[T], bool] = lambda record: False) -> Iterator[int]:
        """Write records as they arrive: at once where they take long to make, and many at a time where they do not.

        Args:
            at_once: whether a record must not wait for others, because it was dear.

        Yields the number of records written each time. Records that have arrived are also written if `records`
        raises, or if the caller stops early.
        """
        pending: list[T] = []
        began, writing = time.monotonic(), 0.0
        try:
            for record in records:
                pending.append(record)
                now = time.monotonic()
                if at_once(record) or writing <= WRITE_SHARE * (now - began):
                    batch, pending = pending, []  # before it is written: an interrupt must not write it again
                    self.append(batch)
                    writing += time.monotonic() - now
                    yield len(batch)
        finally:
            if pending:
                self.append(pending)
        if pending:
            yield len(pending)

    def damaged_lines(self) -> dict[int, str]:
        """Return the damaged lines by their numbers, from 1, with what is wrong."""
        found = {}
        for number, line in enumerate(self._lines(), 1):
            try:
                self._parse(line)
            except ValueError as error:
                found[number] = str(error)
        return found

    def put_aside_damage(self) -> None:
        """Move damaged lines to the folder `damaged`, so that their records are made again. Nothing is deleted."""
        damaged = self.damaged_lines()
        if not damaged:
            return
        lines = self._lines()
        aside = self.path.parent / DAMAGED / self.path.name
        with disk_errors(aside):
            aside.parent.mkdir(exist_ok=True)
            with aside.open("ab") as file:
                file.writelines(lines[number - 1] + b"\n" for number in damaged)
        with atomic_write(self.path) as partial:
            kept = (line + b"\n" for number, line in enumerate(lines, 1) if number not in damaged)
            partial.write_bytes(b"".join(kept))
        numbers = ", ".join(map(str, damaged))
        log.warning("%s: damaged lines (%s) were moved to %s", self.path, numbers, aside)

    def _lines(self) -> list[bytes]:
        try:
            return read_bytes(self.path).split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            hint = "Check the path and its permissions (ls -l)."
            raise RunError(f"this file cannot be read: {error.strerror}", hint=hint, where=str(self.path)) from error

    def _parse(self, line: bytes) -> T:
        """Return the record of a line. Raises ValueError for a damaged line."""
        body = _unseal(line)
        try:
            record: T = adapter(self.schema or dict[str, Any]).validate_json(body, strict=True)
        except ValidationError as error:
            raise ValueError(describe(error)) from error
        return record


def _seal(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line, with the checksum as its last key."""
    body = json.dumps(record).encode()
    return body[:-1] + CHECKSUM + sha256(body)[:CHECKSUM_DIGITS].encode() + b'"}\n'


def _unseal(line: bytes) -> bytes:
    """Return the JSON object of a line without its checksum. Raises ValueError where they do not fit."""
    start, separator, end = line.rpartition(CHECKSUM)
    body = start + b"}"
    if not separator:
        raise ValueError("it has no checksum: SEA did not write it")
    if end != sha256(body)[:CHECKSUM_DIGITS].encode() + b'"}':
        raise ValueError("its checksum differs: the line was changed")
    return body


def _drop_incomplete_line(file: BinaryIO) -> None:
    """Cut off what a kill left after the last line end: it was never reported as written."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
