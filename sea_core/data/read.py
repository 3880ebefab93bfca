"""Text safety sets of any known format, read into rows.

A format is one file in this folder and one line in `formats.READERS`. Importing this loads no torch, pandas or pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from sea_core.data.formats.registry import FORMATS, Format, check_columns_exist, check_request, detect_format
from sea_core.data.record import Record
from sea_core.data.result import Accumulator, InvalidRecord, ReadResult, SkippedRecord
from sea_core.data.sources.dataset_info import read_dataset_info
from sea_core.data.sources.open import Source, open_source
from sea_core.errors import DataError
from sea_core.registry import Registry

__all__ = ["FORMATS", "InvalidRecord", "ReadResult", "SkippedRecord", "read_examples", "scan"]

DETECTION_RECORDS = 10
"""How many records at most are looked at to find the format: the first may lack a column that others have."""


def read_examples(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    split: str | None = None,
    skip_bad: bool = False,
    media_dir: Path | None = None,
    formats: Registry[Format] = FORMATS,
) -> ReadResult:
    """Read rows from JSON, JSON Lines, CSV, TSV, Parquet or Arrow, from a folder, or from the hub.

    Args:
        path: a file (text files also gzipped or xz-compressed), a folder that `datasets` wrote or one of Parquet
            files, or `hf:owner/name:config@revision`.
        format: a name in `formats`, or "auto" to go by the columns of the first records.
        columns: our column names to the file's, for a file that calls them otherwise
            (`{"instruction": "question"}`).
        split: which split of a folder or of the hub, where there are several.
        skip_bad: list records that cannot be read in `bad`, instead of raising at the first.
        media_dir: where media that a table holds as bytes are written as files; without it such records are left out.
        formats: the formats to choose from: the built-in ones, or also those of plugins.

    Raises:
        DataError: for anything that cannot be read as a row, with its place and what to do about it; and when no
            row is left.
    """
    rows = scan(path, format, columns, split=split, media_dir=media_dir, strict=not skip_bad, formats=formats)
    if not rows.examples:
        raise _none_left(rows)
    return rows


def scan(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    split: str | None = None,
    media_dir: Path | None = None,
    strict: bool = False,
    formats: Registry[Format] = FORMATS,
) -> ReadResult:
    """Read as `read_rows` does, and return what was found even if no row is left: nothing is raised for a bad record.

    Raises:
        DataError: the source cannot be read, or holds no record whose columns are a known format's; with `strict`,
            also for the first bad record.
    """
    check_request(format, columns or {}, formats)
    source = open_source(Path(path), split)
    reader, names = _told(source, format, columns or {}, formats)
    made = Accumulator(strict)
    stream = _records(source, names, media_dir, made)
    first = list(islice(stream, DETECTION_RECORDS))
    if not made.records:
        raise DataError(
            "The file holds no rows.",
            where=str(path),
            hint="Give a file with one JSON object a line, a JSON list, or a table.",
        )
    if first:
        check_columns_exist(first[0], columns or {})
        reader = reader or detect_format(first, formats)
    name = reader.name if reader else "unknown"
    if reader:
        for record in chain(first, stream):
            made.add(record, reader)
    bad = sorted(made.invalid, key=lambda one: one.number)
    return ReadResult(
        tuple(made.examples),
        name,
        tuple(made.skipped),
        tuple(bad),
        dict(made.notes),
        made.records,
        source.path,
        source.digest(),
    )


def _told(
    source: Source, format: str, columns: Mapping[str, str], formats: Registry[Format]
) -> tuple[Format | None, dict[str, str]]:
    """Return the reader and the column names that were asked for, or that LLaMA-Factory's list of files tells."""
    beside = (
        read_dataset_info(source.path) if source.path.is_file() and format in ("auto", "alpaca", "sharegpt") else None
    )
    if beside and format in ("auto", beside[0].name):
        return beside[0], {**beside[1], **columns}
    return None if format == "auto" else formats.get(format), dict(columns)


def _records(source: Source, names: Mapping[str, str], media_dir: Path | None, made: Accumulator) -> Iterator[Record]:
    for place, value in source.items:
        made.records += 1
        if isinstance(value, DataError):
            made.add_invalid(place, value)
        elif not isinstance(value, dict):
            made.add_invalid(
                place,
                DataError(
                    f"A row must be a JSON object, but this one is {_kind(value)}.",
                    where=str(place),
                    hint='Write every row like {"instruction": "...", "response": "..."}.',
                ),
            )
        else:
            yield Record(value, place, names, source.untyped, source.folder, media_dir)


def _none_left(rows: ReadResult) -> DataError:
    if rows.invalid and not rows.skipped:
        worst = rows.invalid[0]
        what = f"None of the {rows.records} records can be read. The first: {worst.what}"
        return DataError(what, where=worst.where, hint=worst.hint, column=worst.column)
    told = [f"{rule} ({count})" for rule, count in rows.skip_counts.items()]
    told += [f"cannot be read ({len(rows.invalid)})"] if rows.invalid else []
    return DataError(
        f"Every row was left out by the rules of the format {rows.format}: {'; '.join(told)}.",
        where=str(rows.path),
        hint="Check that the columns mean what the format says, or give a file with other rows.",
    )


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "text"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
