"""`sea bench report`: the metrics of one or more benchmark runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_bench.cli import tables
from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Benchmark runs; two: before and after.")],
    after: Annotated[
        list[Path], typer.Option(metavar="RUN", help="A run to compare with RUN...; repeatable, one for each seed.")
    ] = [],  # noqa: B006
    format: tables.Format = "table",
    judge: Annotated[list[str], typer.Option(help="Only this judge, by the start of its name; repeatable.")] = [],  # noqa: B006
    disagreements: Annotated[bool, typer.Option("--disagreements", help="List what judges rate differently.")] = False,
    label_errors: options.LabelErrors = "",
    as_json: output.Json = False,
) -> None:
    """Show ASR and over-refusal by task and scenario, with intervals, bounds and the agreement of judges.

    Exit code 1 if a judge has not rated more than 2 % of a run's cases.
    """
    from sea_bench.pipeline.report import report_runs

    result = report_runs(runs, after=after, judges=judge, label_errors=label_errors)
    for difference in result.differences:
        output.note(difference)
    if as_json or format == "json":
        output.emit(result.as_dict(), True, lambda: "")
    else:
        for table in result.text_tables(disagreements=disagreements):
            tables.print_table(table, format)
    for note in result.notes()[len(result.differences) :]:
        output.note(note)
    unreliable = sum(not run.is_reliable for run in result.runs)
    exit_if_failed({"runs that are not judged, or have too many unrated cases": unreliable})
