"""`sea bench show`: the answers of a benchmark run with their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_core.runs.records import VerdictRecord

COLUMNS = ("case", "verdicts", "question", "answer")

NOTHING: tuple[object, ...] = (None, "", [], {})
"""Values that are not shown."""


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A benchmark run.")],
    case: Annotated[str | None, typer.Argument(metavar="CASE", help="The key of one case, or its end.")] = None,
    as_json: output.Json = False,
) -> None:
    """List the answers of a run with their verdicts, or show one case in full."""
    from sea_bench.run.run_folder import BenchRun
    from sea_core.errors import RunError

    opened = BenchRun(run)
    by_judge = opened.verdicts_by_judge()
    descriptions, understood = opened.comprehension_records(), opened.current_comprehension_verdicts()
    shown = [
        dict(record)
        | {"verdicts": _verdicts(by_judge, key)}
        | (
            {"description": descriptions[key]["answer"], "phrase": descriptions[key]["phrase"]}
            if key in descriptions
            else {}
        )
        | ({"comprehension": found} if (found := _verdicts(understood, key)) else {})
        for key, record in opened.answer_records().items()
        if case is None or key == case or key.endswith(f"/{case}")
    ]
    if case is not None and not shown:
        raise RunError(f"{run} has no case {case}", hint=f"List its cases: sea bench show {run}")
    if case is None:
        cells = [[output.short(cell) for cell in _cells(record)] for record in shown]
        output.emit(shown, as_json, lambda: output.grid(COLUMNS, cells))
    else:
        for record in shown:
            record |= {"replies": _replies(by_judge, str(record["key"]))}
        lines = [(name, _in_words(value)) for record in shown for name, value in record.items() if value not in NOTHING]
        output.emit(shown, as_json, lambda: output.grid(("", "value"), lines))


def _verdicts(by_judge: Mapping[str, Mapping[str, VerdictRecord]], key: str) -> dict[str, str]:
    return {judge: found[key]["verdict"] for judge, found in by_judge.items() if key in found}


def _replies(by_judge: Mapping[str, Mapping[str, VerdictRecord]], key: str) -> dict[str, str]:
    """Return what each judge that is a model replied, unchanged."""
    return {judge: found[key]["raw"] for judge, found in by_judge.items() if key in found and found[key]["raw"]}


def _in_words(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(f"{name}: {each}" for name, each in value.items()) if isinstance(value, Mapping) else value


def _cells(record: dict[str, object]) -> tuple[object, ...]:
    verdicts = _in_words(record["verdicts"]) or "not judged"
    return record["key"], verdicts, record["question"], record.get("answer", record["status"])
