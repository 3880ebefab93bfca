"""Import a table of questions and answers as a run, so that it can be judged and reported: any file that SEA reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sea_bench.case import Case
from sea_bench.layout import require_modality
from sea_bench.run.records import answered_record
from sea_bench.run.run_folder import BenchIdentity, BenchManifest, BenchMetadata, BenchRun
from sea_bench.run.table_columns import AnswerRow, check_columns, find_columns, read_row, unused_columns
from sea_core.data.record import Place
from sea_core.data.sources.json import inner_records
from sea_core.data.sources.open import open_source
from sea_core.data.summary import describe_unused
from sea_core.errors import DataError
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.digests import sha256
from sea_core.runs.manifest import ModelLocation


def import_table(
    table: Path,
    out: Path,
    columns: Mapping[str, str] | None = None,
    *,
    modality: str = "text",
    progress: Progress = SILENT,
) -> BenchRun:
    """Make a run from a table of answers: CSV, TSV, JSON, JSON Lines, Parquet or Arrow. Nothing of it is run as code.

    Args:
        columns: the table's names of question, answer, id, scenario, task, and benign or harmful. Those that are not
            given are found by their usual names, scenario, task and labels by their own.
            A row without an id is known by its number, so that tables with the same rows can be compared; also where
            ids that were found by their usual name repeat.

    Raises:
        DataError: the file cannot be read, or a row has no question or answer, or an id occurs twice.
        SeaError: a name in `columns`, or the modality, cannot be one.
        RunError: the folder contains another run.
    """
    given = columns or {}
    check_columns(given)
    require_modality(modality)
    source = open_source(table)
    found, unused, rows = _read_rows(source.items, given, table)
    if "id" in found and "id" not in given and _ids_repeat(rows):
        found.pop("id")
        rows = [replace(row, id=None) for row in rows]
        progress.note(f"{table}: its ids repeat, so rows are numbered")
    if found != dict(given):
        used = ",".join(f"{name}={column}" for name, column in found.items())
        progress.note(f"{table}: columns {used}; override them with --columns")
    if unused:
        progress.note(f"{table}: columns that are not used: {describe_unused(unused)}")
    cases = [(_case(number, row, modality), row) for number, row in enumerate(rows, 1)]
    _require_unique(cases)
    digest = sha256(json.dumps([source.digest(), found], sort_keys=True).encode())[:16]
    manifest = BenchManifest(
        identity=BenchIdentity(modality=modality, answers=f"sha256:{digest}"),
        metadata=BenchMetadata(benchmark="", cases=len(cases), model=ModelLocation(str(table))),
    )
    run = BenchRun.start(out, manifest)
    with run.writing():
        stored = run.answer_records()
        run.answers.append(answered_record(case, row.answer) for case, row in cases if case.key not in stored)
    return run


def _read_rows(
    items: Iterator[tuple[Place, Any]], columns: Mapping[str, str], table: Path
) -> tuple[dict[str, str], list[str], list[AnswerRow]]:
    """Return the columns of the fields, the columns that are not used, and the rows."""
    records: list[tuple[Place, Any]] = []
    for place, value in _records(items, columns, table):
        if isinstance(value, DataError):
            raise value
        records.append((place, value))
    if not records:
        raise DataError("The file holds no records.", where=str(table), hint="Give a table with a row for each answer.")
    keys = dict.fromkeys(key for _, value in records if isinstance(value, Mapping) for key in value)
    place, first = records[0]
    found = find_columns(first, place, columns, keys) if isinstance(first, Mapping) else {}
    return found, unused_columns(keys, found), [read_row(value, place, found) for place, value in records]


def _records(
    items: Iterator[tuple[Place, Any]], columns: Mapping[str, str], table: Path
) -> Iterator[tuple[Place, Any]]:
    """Yield the values of a file, or those that its only object holds: some tools write one object around the list."""
    first = list(islice(items, 2))
    if len(first) == 1 and not _is_row(*first[0], columns):
        value = first[0][1]
        inner = inner_records(value) if isinstance(value, dict) else []
        first = [(Place(table, number, "row"), record) for number, record in enumerate(inner, 1)] or first
    yield from chain(first, items)


def _is_row(place: Place, value: Any, columns: Mapping[str, str]) -> bool:
    try:
        read_row(value, place, find_columns(value, place, columns) if isinstance(value, dict) else {})
    except DataError:
        return False
    return True


def _case(number: int, row: AnswerRow, modality: str) -> Case:
    return Case(
        id=str(number) if row.id is None else row.id,
        scenario=row.scenario,
        task=row.task,
        modality=modality,
        text=row.question,
        media=None,
        question=row.question,
        benign=row.benign,
        condition="text" if modality == "text" else "media",
    )


def _ids_repeat(rows: Sequence[AnswerRow]) -> bool:
    return len({(row.scenario, row.task, row.id, row.benign) for row in rows}) < len(rows)


def _require_unique(cases: Sequence[tuple[Case, AnswerRow]]) -> None:
    """Raise DataError if two rows have the same key: the same id, or names with a slash that only look alike."""
    first: dict[str, tuple[Case, AnswerRow]] = {}
    for case, row in cases:
        other, other_row = first.setdefault(case.key, (case, row))
        if other is case:
            continue
        if _names(other) == _names(case):
            what = f"The id {case.id!r} occurs twice in {case.scenario}: first at {other_row.place}."
            hint = "Name a column of unique ids: --columns id=NAME"
        else:
            what = (
                f"{_describe(case)} and {_describe(other)} at {other_row.place} would have the same name, {case.key}."
            )
            hint = (
                "Rename one: what follows a slash in an id, a scenario or a task is taken for the next part of a name."
            )
        raise DataError(what, where=str(row.place), hint=hint)


def _names(case: Case) -> tuple[str, str, str, bool]:
    return case.scenario, case.task, case.id, case.benign


def _describe(case: Case) -> str:
    return f"The {'benign' if case.benign else 'harmful'} id {case.id!r} of {case.scenario}, {case.task}"
