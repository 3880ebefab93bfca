"""Text safety sets of any known format, read into rows.

A format is one file in this folder and one line in `formats.READERS`. Nothing here imports torch or pandas.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sea_core.errors import DataError, at
from sea_core.readers.formats import READERS, Reader, check_columns, choose
from sea_core.readers.lines import data_file, values
from sea_core.readers.record import Dropped, Record
from sea_core.rows import Row

__all__ = ["READERS", "Rows", "read_rows"]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds.

    Attributes:
        rows: the rows kept, in the order of the file.
        format: the name of the format they were read as.
        dropped: how many rows each of the format's rules left out; a rule that left out none is not listed.
        path: the file.
        digest: SHA-256 of it as it lies on disk, so that a run can tell whether its data changed.
    """

    rows: tuple[Row, ...]
    format: str
    dropped: dict[str, int]
    path: Path
    digest: str


def read_rows(path: Path | str, format: str = "auto", columns: Mapping[str, str] | None = None) -> Rows:
    """Read a JSON Lines file or a JSON list, either of them also gzipped.

    Args:
        path: the file.
        format: a name in `READERS`, or "auto" to go by the first record's columns.
        columns: our column names to the file's, for a file that calls them otherwise
            (`{"instruction": "question"}`).

    Raises:
        DataError: for anything in the file that cannot be read as a row, with the line and what to do about it.
    """
    names = dict(columns or {})
    check_columns(format, names)
    path = data_file(Path(path))
    records = _records(path, names)
    first = next(records, None)
    if first is None:
        raise DataError(
            "The file holds no rows.", where=str(path), hint="Give a file with one JSON object a line, or a JSON list."
        )
    reader = choose(format, first)
    rows, dropped = _read(reader, chain([first], records))
    if not rows:
        raise DataError(
            f"Every row was left out by the rules of the format {reader.name}: {_counts(dropped)}.",
            where=str(path),
            hint="Check that the columns mean what the format says, or give a file with other rows.",
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Rows(tuple(rows), reader.name, dict(dropped), path, digest)


def _records(path: Path, names: Mapping[str, str]) -> Iterator[Record]:
    for line, value in values(path):
        if not isinstance(value, dict):
            raise DataError(
                f"A row must be a JSON object, but this one is {_kind(value)}.",
                where=at(path, line),
                hint='Write every row like {"instruction": "...", "response": "..."}.',
            )
        yield Record(value, path, line, names)


def _read(reader: Reader, records: Iterator[Record]) -> tuple[list[Row], Counter[str]]:
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    seen: dict[str, int] = {}
    for record in records:
        row = reader.read(record)
        if isinstance(row, Dropped):
            dropped[row.rule] += 1
            continue
        if row.id in seen:
            raise DataError(
                f'The id "{row.id}" is used twice, on line {seen[row.id]} and on line {record.line}.',
                where=record.where,
                hint='Give each row an id of its own, or take the column "id" out: SEA then makes ids itself.',
            )
        seen[row.id] = record.line
        rows.append(row)
    return rows, dropped


def _counts(dropped: Mapping[str, int]) -> str:
    return "; ".join(f"{rule} ({count})" for rule, count in dropped.items())


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "text"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
