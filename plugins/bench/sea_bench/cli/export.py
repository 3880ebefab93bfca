"""`sea bench export`: write a benchmark's sets as tasks of another harness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_bench.case import Case

HARNESSES = ("lmms-eval", "vlmevalkit")


def export(
    harness: Annotated[str, typer.Argument(metavar="HARNESS", help="lmms-eval or vlmevalkit.")],
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A benchmark's folder (sea bench build).")],
    out: Annotated[Path, typer.Option(help="The folder of the tasks; its files of the same names are written anew.")],
    modality: Annotated[str | None, typer.Option(help="Only this set.")] = None,
    tasks: Annotated[list[str], typer.Option("--task", help="Only this task; may be repeated.")] = [],  # noqa: B006
    scenarios: Annotated[list[str], typer.Option("--scenario", help="Only this one; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N of each scenario and task.")] = None,
    embed: Annotated[bool, typer.Option(help="vlmevalkit: images in the table, or their paths.")] = True,
    as_json: output.Json = False,
) -> None:
    """Write the sets of a benchmark as tasks of lmms-eval or tables for VLMEvalKit. The media stay where they are."""
    from sea_bench.dataset import read_benchmark
    from sea_bench.select import CaseFilter, select_cases
    from sea_core.errors import SeaError, suggest

    if harness not in HARNESSES:
        raise SeaError(f"there is no harness {harness!r}", hint=suggest(harness, HARNESSES))
    selection = select_cases(read_benchmark(cases, modality), CaseFilter(tasks, scenarios, limit=limit))
    written = (
        _lmms_eval(selection.cases, cases, out) if harness == "lmms-eval" else _tables(selection.cases, out, embed)
    )
    value = {"folder": out, "tasks": written, "cases": len(selection.cases), "left_out": len(selection.missing)}
    output.emit(value, as_json, lambda: output.grid(("task", "cases"), list(written.items())))
    if selection.missing:
        output.note(f"{len(selection.missing)} cases are left out, having no medium: sea bench check {cases}")
    output.note(f"{out / 'README.md'} says how to use them.")


def _lmms_eval(cases: Sequence[Case], benchmark: Path, out: Path) -> dict[str, int]:
    from sea_bench.export.lmms_eval import readme, write_tasks
    from sea_bench.run.config import AnswerConfig
    from sea_bench.select import set_digest
    from sea_core.runs.atomic import write_text

    version = " ".join(
        f"{name} {set_digest(benchmark, name)}" for name in dict.fromkeys(case.modality for case in cases)
    )
    written = write_tasks(cases, out, version, AnswerConfig().max_new_tokens)
    write_text(out / "README.md", readme(written))
    return written


def _tables(cases: Sequence[Case], out: Path, embed: bool) -> dict[str, int]:
    from sea_bench.export.vlmevalkit import readme, write_tables
    from sea_core.runs.atomic import write_text

    written = write_tables(cases, out, embed)
    write_text(out / "README.md", readme(written, out))
    return written
