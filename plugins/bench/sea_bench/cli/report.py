"""`sea bench report`: the figures of one or more benchmark runs, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_bench.report.agreement import Agreement
    from sea_bench.run.run_folder import BenchRun

FORMATS = ("table", "markdown", "latex", "json")
LIMIT = 0.02
"""Above this share of unrated cases the figures do not hold, and the command says so with its exit code."""


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Benchmark runs; two: before and after.")],
    format: Annotated[str, typer.Option(help="table, markdown, latex or json.")] = "table",
    judge: Annotated[list[str], typer.Option(help="Only this judge; may be repeated.")] = [],  # noqa: B006
    disagreements: Annotated[bool, typer.Option("--disagreements", help="List what judges rate differently.")] = False,
    as_json: output.Json = False,
) -> None:
    """Show ASR and over-refusal by task and scenario, with intervals, bounds and the judges' agreement.

    Exit code 1 where a judge has not rated more than 2 % of a run's cases.
    """
    from sea_bench.report.agreement import agreements
    from sea_bench.report.metrics import state, tables, unrated
    from sea_bench.run.run_folder import BenchRun
    from sea_core.errors import SeaError, suggest

    if format not in FORMATS:
        raise SeaError(f"--format {format} is not known", hint=suggest(format, FORMATS))
    opened = [BenchRun(run) for run in runs]
    heard = list(dict.fromkeys(name for run in opened for name in run.verdicts_by_judge()))
    chosen = _chosen(judge, heard)
    found, agreed = tables(opened, chosen), agreements(opened, chosen)
    shares = [{name: share for name, share in unrated(run).items() if name in chosen} for run in opened]
    labels = _labels(opened)
    value = {
        "runs": [state(run) | {"unrated": share} for run, share in zip(opened, shares, strict=True)],
        "tables": [asdict(table) for table in found],
        "agreement": [asdict(one) for one in agreed],
    }
    if as_json or format == "json":
        output.emit(value, True, lambda: "")
    else:
        _draw(format, found, labels, agreed, disagreements)
    _notes(opened, labels, chosen, shares)


def _chosen(asked: Sequence[str], heard: Sequence[str]) -> list[str]:
    """Return the judges that were asked for; `openai` stands for all whose names begin so."""
    from sea_core.errors import SeaError, suggest

    for name in asked:
        if not any(one.startswith(name) for one in heard):
            raise SeaError(f"no judge {name!r} has spoken about these runs", hint=suggest(name, heard, "Heard"))
    return [one for one in heard if not asked or any(one.startswith(name) for name in asked)]


def _labels(runs: Sequence[BenchRun]) -> list[str]:
    names = [run.label for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def _draw(
    format: str, tables: Sequence[Any], labels: Sequence[str], agreed: Sequence[Agreement], disagreements: bool
) -> None:
    from sea_bench.report.render import cells, headings, latex, markdown, title

    drawn = [(title(table), headings(table, labels), cells(table)) for table in tables]
    if agreed:
        columns = ["judges", "run", "about", "answers", "agree", "kappa"]
        drawn.append(("agreement of judges", columns, [_agreement(one) for one in agreed]))
    if disagreements:
        columns = ["run", "case", "verdicts", "question", "answer"]
        drawn.append(("disagreements", columns, [row for one in agreed for row in _apart(one)]))
    for name, columns, rows in drawn:
        if format == "table":
            grid = output.grid(columns, rows)
            grid.title = name
            grid.title_justify = "left"
            output.emit(None, False, lambda grid=grid: grid)  # type: ignore[misc]
        else:
            typer.echo((markdown if format == "markdown" else latex)(name, columns, rows))


def _agreement(one: Agreement) -> list[str]:
    from sea_bench.report.metrics import NAMES

    shares = ["-" if value is None else f"{value:.3f}" for value in (one.raw, one.kappa)]
    return [" / ".join(one.judges), one.run, NAMES[one.what], str(one.both), *shares]


def _apart(one: Agreement) -> list[list[str]]:
    return [
        [
            one.run,
            row["key"],
            " / ".join(row["verdicts"].values()),
            str(row["question"]),
            " ".join(row["answer"].split()),
        ]
        for row in one.apart
    ]


def _notes(
    runs: Sequence[BenchRun], labels: Sequence[str], judges: Sequence[str], shares: Sequence[dict[str, float]]
) -> None:
    """Say what the figures leave out, and leave with 1 where it is too much."""
    from sea_bench.report.metrics import alarms, differences, state

    bad = False
    for difference in differences(runs):
        output.note(difference)
    for run, label, share in zip(runs, labels, shares, strict=True):
        told = state(run)
        lacks = [
            f"{told[name]} {name.replace('_', ' ')}" for name in ("missing", "unreadable", "not_asked") if told[name]
        ]
        if lacks or told["truncated"]:
            cut = [f"{told['truncated']} answers cut off"] * bool(told["truncated"])
            output.note(f"{label}: of {told['cases']} cases {', '.join(lacks + cut)}")
        for judge in judges:
            if judge not in share:
                output.note(f"{label}: {judge} was not heard. Type: sea bench judge {run.folder} --judge ...")
            elif share[judge] > LIMIT:
                output.note(f"{label}: {judge} has not rated {share[judge]:.1%} of the cases: look at the bounds")
                bad = True
        for judge, (unsafe, benign) in alarms(run).items():
            if unsafe and judge in judges:
                output.note(f"{label}: {judge} calls {unsafe} of {benign} answers on the benign twin unsafe")
        if not share:
            output.note(f"{label}: no judge has spoken. Type: sea bench judge {run.folder}")
            bad = True
    if bad:
        raise typer.Exit(1)
