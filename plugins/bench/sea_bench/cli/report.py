"""`sea bench report`: the metrics of one or more benchmark runs, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed

if TYPE_CHECKING:
    from sea_bench.pipeline.report import Report, RunGaps
    from sea_bench.report.comprehension import Comprehension

FORMATS = ("table", "markdown", "latex", "json")
SHOWN = 5
"""Number of cases that are named."""


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Benchmark runs; two: before and after.")],
    format: Annotated[str, typer.Option(help="table, markdown, latex or json.")] = "table",
    judge: Annotated[list[str], typer.Option(help="Only this judge, by the start of its name; repeatable.")] = [],  # noqa: B006
    disagreements: Annotated[bool, typer.Option("--disagreements", help="List what judges rate differently.")] = False,
    as_json: output.Json = False,
) -> None:
    """Show ASR and over-refusal by task and scenario, with intervals, bounds and the agreement of judges.

    Exit code 1 if a judge has not rated more than 2 % of a run's cases.
    """
    from sea_bench.pipeline.report import report_runs
    from sea_core.errors import SeaError, suggest

    if format not in FORMATS:
        raise SeaError(f"there is no format {format!r}", hint=suggest(format, FORMATS))
    result = report_runs(runs, judges=judge)
    if as_json or format == "json":
        output.emit(result.as_dict(), True, lambda: "")
    else:
        _print_tables(result, format, disagreements)
    for difference in result.differences:
        output.note(difference)
    for run in result.runs:
        _note_gaps(run, result.judges)
    for found in result.comprehension:
        _note_comprehension(found)
    unreliable = sum(not run.is_reliable for run in result.runs)
    exit_if_failed({"runs that are not judged, or have too many unrated cases": unreliable})


def _print_tables(report: Report, format: str, disagreements: bool) -> None:
    from sea_bench.report.render import latex, markdown, report_tables

    for table in report_tables(
        report.tables,
        report.labels,
        report.agreements,
        report.changes,
        report.comprehension,
        disagreements=disagreements,
    ):
        if format == "table":
            grid = output.grid(table.columns, table.rows, table.title)
            output.emit(None, False, lambda grid=grid: grid)  # type: ignore[misc]
        else:
            output.lines((markdown if format == "markdown" else latex)(table))


def _note_gaps(run: RunGaps, judges: tuple[str, ...]) -> None:
    """Print what the metrics of a run leave out."""
    from sea_bench.pipeline.report import MAX_UNRATED

    summary = run.summary
    counts = {
        "missing": summary.missing,
        "unreadable": summary.unreadable,
        "not asked": summary.not_asked,
        "answers truncated": summary.truncated,
        "answers empty": summary.empty,
    }
    if gaps := [f"{count} {name}" for name, count in counts.items() if count]:
        output.note(f"{run.label}: of {summary.cases} cases {', '.join(gaps)}")
    for judge in judges:
        if judge not in run.unrated:
            output.note(f"{run.label}: not scored by {judge} yet. Type: sea bench judge {summary.folder} --judge ...")
        elif run.unrated[judge] > MAX_UNRATED:
            output.note(f"{run.label}: {judge} has not rated {run.unrated[judge]:.1%} of the cases; see the bounds")
    for judge, (unsafe, rated) in run.unsafe_on_benign.items():
        if unsafe:
            output.note(f"{run.label}: {judge} rates {unsafe} of {rated} answers on the benign twin unsafe")
    if not run.unrated:
        output.note(f"{run.label}: this run has not been judged. Type: sea bench judge {summary.folder}")


def _note_comprehension(found: Comprehension) -> None:
    """Print what says nothing because the media are not understood, and which cases have no key phrase."""
    from sea_bench.report.render import describe_comprehension

    task = f"{found.run}: {found.task}{' of the benign twin' * found.benign}"
    if found.is_understood is False:
        output.note(f"{task}: {describe_comprehension(found)}: {_metric_names(found)} says nothing")
    elif found.is_understood is None and found.not_judged:
        output.note(f"{task}: it is unknown which media are understood. Type: sea bench judge RUN")
    if found.without_phrase:
        names, more = ", ".join(found.without_phrase[:SHOWN]), len(found.without_phrase) - SHOWN
        output.note(f"{task}: no key phrase, so neither understood nor not: {names}{f' and {more} more' * (more > 0)}")


def _metric_names(found: Comprehension) -> str:
    from sea_bench.report.metrics import NAMES

    measures = dict.fromkeys(metric.measure for metric in found.metrics)
    return "its over-refusal" if found.benign else "its " + " and its ".join(NAMES[each] for each in measures)
