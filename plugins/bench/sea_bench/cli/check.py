"""`sea bench check`: validate a benchmark folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed

if TYPE_CHECKING:
    from sea_bench.check import TaskCount
    from sea_bench.dataset import Issue

COLUMNS = ("set", "scenario", "task", "cases", "media", "missing", "corrupt", "published")
SHOWN = 10
"""Number of issues that are listed."""


def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A benchmark folder.")],
    modality: Annotated[str | None, typer.Option(help="Only this set.")] = None,
    open_media: Annotated[bool, typer.Option(help="Open every medium, and compare it with the manifest.")] = True,
    as_json: output.Json = False,
) -> None:
    """Validate a benchmark folder: list missing, corrupt and malformed cases.

    Exit code 1 if there are any.
    """
    from sea_bench.pipeline.check import check_benchmark
    from sea_core.cli.progress import TERMINAL

    result = check_benchmark(folder, modality=modality, open_media=open_media, progress=TERMINAL)
    output.emit(asdict(result), as_json, lambda: output.grid(COLUMNS, map(_cells, result.counts)))
    for issue in result.issues[:SHOWN]:
        output.note(_format_issue(issue))
    if len(result.issues) > SHOWN:
        output.note(f"... and {len(result.issues) - SHOWN} more; --json lists all.")
    exit_if_failed({"faults in the benchmark": len(result.issues)})


def _cells(count: TaskCount) -> list[str]:
    name = count.modality + " (benign)" * count.benign
    numbers = (count.media, count.missing, count.corrupt, count.published)
    shown = ["-" if number is None else str(number) for number in numbers]
    return [name, count.scenario, count.task, str(count.cases), *shown]


def _format_issue(issue: Issue) -> str:
    place = "/".join(part for part in (issue.scenario, issue.task, issue.id) if part)
    return f"{issue.modality}{' (benign)' * issue.benign} {place}: {issue.message}"
