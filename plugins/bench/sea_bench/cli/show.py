"""`sea bench show`: the answers of a benchmark run with their verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output

COLUMNS = ("case", "verdicts", "question", "answer")


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
    shown = [
        dict(record) | {"verdicts": {judge: found[key]["verdict"] for judge, found in by_judge.items() if key in found}}
        for key, record in opened.answer_records().items()
        if case is None or key == case or key.endswith(f"/{case}")
    ]
    if case is not None and not shown:
        raise RunError(f"{run} has no case {case}", hint=f"List its cases: sea bench show {run}")
    if case is None:
        cells = [[output.short(cell) for cell in _cells(record)] for record in shown]
        output.emit(shown, as_json, lambda: output.grid(COLUMNS, cells))
    else:
        lines = [(name, value) for record in shown for name, value in record.items() if value not in (None, "")]
        output.emit(shown, as_json, lambda: output.grid(("", "value"), lines))


def _cells(record: dict[str, object]) -> tuple[object, ...]:
    verdicts = record["verdicts"]
    assert isinstance(verdicts, dict)
    given = ", ".join(f"{judge}: {verdict}" for judge, verdict in verdicts.items()) or "not judged"
    return record["key"], given, record["question"], record.get("answer", record["status"])
