"""Read text safety sets: the records of a file in any known format become examples.

A format is one file in `formats/` and one line in `formats/registry.py`; plugins add others with the hook
`sea_formats`, which pipeline/read.py knows. Importing this module loads no torch, pandas or pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sea_core.data.formats.base import Format
from sea_core.data.formats.conversation import UNANSWERED
from sea_core.data.formats.registry import (
    check_columns_exist,
    check_request,
    check_roles,
    detect_format,
    find_format,
)
from sea_core.data.record import Place, Record, describe_type
from sea_core.data.result import Accumulator, InvalidRecord, ReadResult, SkippedRecord
from sea_core.data.sources.dataset_info import read_dataset_info
from sea_core.data.sources.json import inner_records
from sea_core.data.sources.open import Source, no_records_error, open_source
from sea_core.errors import DataError
from sea_core.registry import Registry

__all__ = ["InvalidRecord", "ReadResult", "SkippedRecord", "read_examples", "scan"]

DETECTION_RECORDS = 10
"""How many records are used to detect the format: the first one may lack a column that the others have."""
MAX_DEPTH = 3
"""How deep records may be nested in one object: below a key, by category and by topic."""


def read_examples(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    formats: Registry[Format],
    split: str | None = None,
    skip_bad: bool = False,
    media_dir: Path | None = None,
) -> ReadResult:
    """Read examples as `sea_core.read_examples` (pipeline/read.py) does, in one of `formats`.

    Raises:
        DataError: the file, or a record of it, cannot be read, or no example is left.
        SeaError: the format is unknown.
    """
    result = scan(path, format, columns, split=split, media_dir=media_dir, strict=not skip_bad, formats=formats)
    if not result.examples:
        raise no_examples_error(result)
    return result


def scan(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    formats: Registry[Format],
    split: str | None = None,
    media_dir: Path | None = None,
    strict: bool = False,
) -> ReadResult:
    """Read as `read_examples` does, but list invalid records and accept a file that gives no example.

    Raises:
        DataError: the source cannot be read, or its columns fit no known format; with `strict`, also for the first
            invalid record.
        SeaError: the format is unknown.
    """
    check_request(format, columns or {}, formats)
    source = open_source(Path(path), split)
    chosen, column_names = _requested_format(source, format, columns or {}, formats)
    found = Accumulator(strict)
    records = _iter_records(source, column_names, media_dir, split, found)
    first = list(islice(records, DETECTION_RECORDS))
    if len(first) == found.records == 1 and (inner := _nested_records(first[0], chosen, formats)):
        found.records, first = len(inner), inner
    if not found.records:
        raise no_records_error(path)
    if first:
        check_columns_exist(first, columns or {}, formats)
        chosen = chosen or detect_format(first, formats)
        check_roles(chosen, columns or {}, first[0])
    if chosen:
        for record in chain(first, records):
            found.add(record, chosen)
    return ReadResult(
        examples=tuple(found.examples),
        format=chosen.name if chosen else "unknown",
        skipped=tuple(found.skipped),
        invalid=tuple(sorted(found.invalid, key=lambda record: record.number)),
        notes=dict(found.notes),
        unused_columns=found.unused_columns,
        encoding=source.encoding,
        repeated_ids=found.repeated_ids,
        records=found.records,
        path=source.path,
        digest=source.digest(),
    )


def _requested_format(
    source: Source, format: str, columns: Mapping[str, str], formats: Registry[Format]
) -> tuple[Format | None, dict[str, str]]:
    """Return the format and the column names that were given, or those of LLaMA-Factory's `dataset_info.json`."""
    may_have_info = source.path.is_file() and format in ("auto", "alpaca", "sharegpt")
    info = read_dataset_info(source.path) if may_have_info else None
    if info and format in ("auto", info[0].name):
        return info[0], {**info[1], **columns}
    return None if format == "auto" else formats.get(format), dict(columns)


def _iter_records(
    source: Source, column_names: Mapping[str, str], media_dir: Path | None, split: str | None, found: Accumulator
) -> Iterator[Record]:
    """Yield the records that are objects; count all, and add the others to the invalid ones."""
    for place, value in source.items:
        found.records += 1
        if isinstance(value, DataError):
            found.add_invalid(place, value)
        elif not isinstance(value, dict):
            error = DataError(
                f"A record must be a JSON object, but this one is {describe_type(value)}.",
                where=str(place),
                hint='Write every record like {"instruction": "...", "response": "..."}.',
            )
            found.add_invalid(place, error)
        else:
            yield Record(value, place, column_names, source.untyped, source.folder, split or "", media_dir)


def _nested_records(outer: Record, format: Format | None, formats: Registry[Format]) -> list[Record]:
    """Return the records in a file that is one object, if the format, or any format, reads these but not the object."""

    def fits(records: list[Record]) -> bool:
        return any(map(format.matches, records)) if format else bool(find_format(records[:DETECTION_RECORDS], formats))

    if fits([outer]):
        return []
    values: list[Mapping[str, Any]] = [outer.values]
    for _ in range(MAX_DEPTH):
        values = [inner for value in values for inner in inner_records(value)]
        places = [Place(outer.place.path, number, "row") for number in range(1, len(values) + 1)]
        paired = zip(values, places, strict=True)
        records = [replace(outer, values=value, place=place, notes=[], used=set()) for value, place in paired]
        if records and fits(records):
            return records
    return []


def no_examples_error(result: ReadResult) -> DataError:
    """Return the error for a source that gives no example: why the records were skipped or are invalid."""
    if result.invalid and not result.skipped:
        first = result.invalid[0]
        count = f"none of its {result.records} records" if result.records > 1 else "its only record"
        cannot = "can be read" if result.records > 1 else "cannot be read"
        kind = "is not a data file" if result.format == "unknown" else "has no example"
        what = f"{result.path.name} {kind}: {count} {cannot}. The first: {first.what}"
        return DataError(what, where=first.where, hint=first.hint, column=first.column)
    reasons = [f"{rule} ({count})" for rule, count in result.skip_counts.items()]
    reasons += [f"invalid ({len(result.invalid)})"] if result.invalid else []
    return DataError(
        f"All records were skipped by the rules of the format {result.format}: {'; '.join(reasons)}.",
        where=str(result.path),
        hint="For prompts without answers: --format prompts"
        if set(result.skip_counts) == {UNANSWERED}
        else "Check that the columns mean what the format expects, or give another file.",
    )
