"""`sea bench report`: the metrics of one or more benchmark runs, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_bench.report.agreement import Agreement
    from sea_bench.report.metrics import Table
    from sea_bench.run.run_folder import BenchRun

FORMATS = ("table", "markdown", "latex", "json")
MAX_UNRATED = 0.02
"""With a larger ratio of unrated cases the metrics are not reliable, and the exit code says so."""


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
    from sea_bench.report.agreement import compare_judges
    from sea_bench.report.metrics import make_tables, summarise_run, unrated_ratio
    from sea_bench.run.run_folder import BenchRun
    from sea_core.errors import SeaError, suggest

    if format not in FORMATS:
        raise SeaError(f"there is no format {format!r}", hint=suggest(format, FORMATS))
    opened = [BenchRun(run) for run in runs]
    known = list(dict.fromkeys(name for run in opened for name in run.verdicts_by_judge()))
    judges = _select_judges(judge, known)
    tables, agreements = make_tables(opened, judges), compare_judges(opened, judges)
    unrated = [{name: value for name, value in unrated_ratio(run).items() if name in judges} for run in opened]
    labels = _labels(opened)
    value = {
        "runs": [summarise_run(run) | {"unrated": ratios} for run, ratios in zip(opened, unrated, strict=True)],
        "tables": [asdict(table) for table in tables],
        "agreement": [asdict(agreement) for agreement in agreements],
    }
    if as_json or format == "json":
        output.emit(value, True, lambda: "")
    else:
        _print(format, tables, labels, agreements, disagreements)
    _note_differences(opened)
    reliable = [_note_gaps(*of_run, judges) for of_run in zip(opened, labels, unrated, strict=True)]
    if not all(reliable):
        raise typer.Exit(1)


def _select_judges(prefixes: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the judges whose names start with one of the prefixes; all if there are none."""
    from sea_core.errors import SeaError, suggest

    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in known):
            raise SeaError(
                f"no judge {prefix!r} has judged these runs", hint=suggest(prefix, known, "Judges of these runs")
            )
    return [name for name in known if not prefixes or any(name.startswith(prefix) for prefix in prefixes)]


def _labels(runs: Sequence[BenchRun]) -> list[str]:
    names = [run.label for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def _print(
    format: str, tables: Sequence[Table], labels: Sequence[str], agreements: Sequence[Agreement], disagreements: bool
) -> None:
    from sea_bench.report.render import cells, headings, latex, markdown, title

    printed = [(title(table), headings(table, labels), cells(table)) for table in tables]
    if agreements:
        columns = ["judges", "run", "metric", "answers", "agree", "kappa"]
        printed.append(("agreement of judges", columns, [_agreement_cells(agreement) for agreement in agreements]))
    if disagreements:
        columns = ["run", "case", "verdicts", "question", "answer"]
        printed.append(("disagreements", columns, [row for each in agreements for row in _disagreement_rows(each)]))
    for name, columns, rows in printed:
        if format == "table":
            grid = output.grid(columns, rows)
            grid.title = name
            grid.title_justify = "left"
            output.emit(None, False, lambda grid=grid: grid)  # type: ignore[misc]
        else:
            typer.echo((markdown if format == "markdown" else latex)(name, columns, rows))


def _agreement_cells(agreement: Agreement) -> list[str]:
    from sea_bench.report.metrics import NAMES

    values = ["-" if value is None else f"{value:.3f}" for value in (agreement.raw, agreement.kappa)]
    return [" / ".join(agreement.judges), agreement.run, NAMES[agreement.measure], str(agreement.rated), *values]


def _disagreement_rows(agreement: Agreement) -> list[list[str]]:
    return [
        [
            agreement.run,
            answer["key"],
            " / ".join(answer["verdicts"].values()),
            str(answer["question"]),
            " ".join(answer["answer"].split()),
        ]
        for answer in agreement.disagreements
    ]


def _note_differences(runs: Sequence[BenchRun]) -> None:
    from sea_bench.report.metrics import describe_differences

    for difference in describe_differences(runs):
        output.note(difference)


def _note_gaps(run: BenchRun, label: str, unrated: Mapping[str, float], judges: Sequence[str]) -> bool:
    """Print what the metrics of a run leave out. Returns whether they are reliable."""
    from sea_bench.report.metrics import summarise_run, unsafe_on_benign

    summary = summarise_run(run)
    names = [name for name in ("missing", "unreadable", "not_asked") if summary[name]]
    gaps = [f"{summary[name]} {name.replace('_', ' ')}" for name in names]
    if summary["truncated"]:
        gaps.append(f"{summary['truncated']} answers truncated")
    if gaps:
        output.note(f"{label}: of {summary['cases']} cases {', '.join(gaps)}")
    for judge in judges:
        if judge not in unrated:
            output.note(f"{label}: not scored by {judge} yet. Type: sea bench judge {run.folder} --judge ...")
        elif unrated[judge] > MAX_UNRATED:
            output.note(f"{label}: {judge} has not rated {unrated[judge]:.1%} of the cases; see the bounds")
    for judge, (unsafe, rated) in unsafe_on_benign(run).items():
        if unsafe and judge in judges:
            output.note(f"{label}: {judge} rates {unsafe} of {rated} answers on the benign twin unsafe")
    if not unrated:
        output.note(f"{label}: this run has not been judged. Type: sea bench judge {run.folder}")
    return bool(unrated) and max(unrated.values()) <= MAX_UNRATED
