"""A journal that is read again and again while others append to it: each of its lines is parsed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sea_core.runs.jsonl import JsonlLog, T


class FollowedLog(JsonlLog[T]):
    """A journal of which a reader keeps the records in memory.

    Args:
        journal: whose records have a key. It is only appended to, or replaced as a whole.
    """

    def __init__(self, journal: JsonlLog[T]) -> None:
        super().__init__(journal.path, journal.schema, journal.key)
        self._records: dict[Any, T] = {}
        self._file: tuple[int, int] | None = None
        self._end = self._count = 0

    def among(self, keys: Sequence[tuple[Any, ...]]) -> JsonlLog[T]:
        """Return the journal without all records but those with these keys."""
        return _Selected(self, keys)

    def _read(self, skip_damaged: bool) -> dict[Any, T]:
        return dict(self._followed(skip_damaged))

    def _followed(self, skip_damaged: bool) -> dict[Any, T]:
        """Return the records, after those that were appended since the last call have been added."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._forget(None)
            return self._records
        if (found.st_dev, found.st_ino) != self._file or found.st_size < self._end:
            self._forget((found.st_dev, found.st_ino))
        if found.st_size > self._end:
            self._add_appended(skip_damaged)
        return self._records

    def _forget(self, file: tuple[int, int] | None) -> None:
        self._records, self._file, self._end, self._count = {}, file, 0, 0

    def _add_appended(self, skip_damaged: bool) -> None:
        with self.path.open("rb") as file:
            file.seek(self._end)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.split(b"\n")[:-1]
        self._add(lines, self._count + 1, self._records, skip_damaged)
        self._end, self._count = self._end + len(whole), self._count + len(lines)


class _Selected(JsonlLog[T]):
    """The records of a followed journal that have one of the keys."""

    def __init__(self, followed: FollowedLog[T], keys: Sequence[tuple[Any, ...]]) -> None:
        super().__init__(followed.path, followed.schema, followed.key)
        self._followed_log, self._keys = followed, keys

    def _read(self, skip_damaged: bool) -> dict[Any, T]:
        records = self._followed_log._followed(skip_damaged)
        return {key: records[key] for key in self._keys if key in records}
