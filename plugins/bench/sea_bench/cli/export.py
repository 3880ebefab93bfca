"""`sea bench export`: write a benchmark's sets as tasks of another harness."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_bench.cli import target
from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.errors import number_of


def export(
    harness: Annotated[str, typer.Argument(metavar="HARNESS", help="lmms-eval or vlmevalkit.")],
    cases: target.Cases,
    out: Annotated[Path, typer.Option(help="The folder of the tasks; files of the same names are overwritten.")],
    modality: Annotated[str | None, typer.Option(help="Only this set.")] = None,
    tasks: target.Tasks = [],  # noqa: B006
    scenarios: target.Scenarios = [],  # noqa: B006
    limit: target.CaseLimit = None,
    embed: Annotated[bool, typer.Option(help="vlmevalkit: write images into the table, or else their paths.")] = True,
    as_json: output.Json = False,
) -> None:
    """Export a benchmark to lmms-eval or VLMEvalKit. The media stay where they are."""
    from sea_bench.pipeline.export import export_benchmark
    from sea_bench.select import CaseFilter

    wanted = CaseFilter(tasks, scenarios, limit=limit)
    result = export_benchmark(harness, cases, out, modality=modality, wanted=wanted, embed=embed)
    value = {
        "folder": out,
        "tasks": result.tasks,
        "cases": sum(result.tasks.values()),
        "skipped": result.skipped,
    }
    output.emit(value, as_json, lambda: output.grid(("task", "cases"), list(result.tasks.items())))
    if result.skipped:
        output.note(
            f"{number_of(result.skipped, 'case is', 'cases are')} skipped, without a medium: sea bench check {cases}"
        )
    output.note(f"Usage: {out / 'README.md'}")
    exit_if_failed({"cases without a medium": result.skipped})
