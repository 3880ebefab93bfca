"""`sea bench utility`: measure a model's general ability with lmms-eval."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_core.safetybench.utility import Plan

COLUMNS = ("task", "metric", "value", "stderr", "cases", "empty answers")


def utility(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A merged model's folder (sea align).")],
    out: Annotated[Path, typer.Option(help="The folder of the figures. The same command again goes on with it.")],
    suite: Annotated[str, typer.Option(help="image, video or audio: tasks that no paid judge scores.")] = "",
    tasks: Annotated[list[str], typer.Option("--task", help="In the suite's place; may be repeated.")] = [],  # noqa: B006
    wrapper: Annotated[str, typer.Option(help="lmms-eval's name for what runs the model. Default: by its type.")] = "",
    model_args: Annotated[str, typer.Option(help="More settings of the wrapper: device=cpu,device_map=cpu.")] = "",
    include: Annotated[Path | None, typer.Option(help="A folder of more tasks (sea bench export lmms-eval).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N cases of each task.")] = None,
    program: Annotated[str, typer.Option(help="Where lmms-eval is, if it is elsewhere.")] = "lmms-eval",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the command, and run nothing.")] = False,
    as_json: output.Json = False,
) -> None:
    """Measure general ability with lmms-eval, an optional program of others. Exit code 1 where a task has no figure."""
    from sea_core.safetybench.utility import figures, run, start

    plan = _plan(model, out, _tasks(suite, tasks), wrapper, model_args, include, limit, program, dry_run)
    if dry_run:
        value = {"command": plan.command()}
        output.emit(value, as_json, lambda: shlex.join(plan.command()))
        return
    found = start(plan, _identity(plan))
    if found is None:
        output.note(f"lmms-eval is at work; what it says: tail -f {out / 'lmms-eval.log'}")
        run(plan)
        found = figures(plan)
    output.emit({"folder": out, **found}, as_json, lambda: output.grid(COLUMNS, [_cells(r) for r in found["figures"]]))
    if sum(row["empty"] or 0 for row in found["figures"]):
        output.note("Empty answers count as wrong here, and may be failures: see lmms-eval.log before you compare.")
    if found["missing"]:
        output.note(f"no figure for: {', '.join(found['missing'])}")
        raise typer.Exit(1)


def _tasks(suite: str, tasks: list[str]) -> tuple[str, ...]:
    from sea_core.errors import SeaError
    from sea_core.safetybench.utility import SUITES
    from sea_core.settings import near

    if tasks:
        return tuple(dict.fromkeys(tasks))
    if suite not in SUITES:
        what = f"there is no suite {suite!r}" if suite else "neither a suite nor a task was named"
        raise SeaError(what, hint=near(suite, list(SUITES)) if suite else f"Type --suite {' or '.join(SUITES)}")
    return SUITES[suite]


def _plan(
    model: Path, out: Path, tasks: tuple[str, ...], wrapper: str, model_args: str, include: Path | None,
    limit: int | None, program: str, dry: bool,
) -> Plan:  # fmt: skip
    from sea_core.errors import SeaError
    from sea_core.safetybench.utility import INSTALL, Plan, check_model, choose_wrapper, find_program

    kind = check_model(model)
    found = find_program(program)
    if found is None and not dry:
        raise SeaError(f"{program} is not installed", hint=INSTALL)
    if found is None and not wrapper:
        output.note(f"{program} is not installed, so its name for models of the type {kind} is a guess")
    wrapper = wrapper or (choose_wrapper(found, kind) if found else kind)
    return Plan(found or program, model, wrapper, tasks, out, include, model_args, limit)


def _identity(plan: Plan) -> dict[str, Any]:
    from sea_core.checkpoint import fingerprint

    return {
        "model": fingerprint(str(plan.model), None), "wrapper": plan.wrapper, "tasks": list(plan.tasks),
        "model_args": plan.model_args, "include": str(plan.include) if plan.include else None, "limit": plan.limit,
    }  # fmt: skip


def _cells(row: dict[str, Any]) -> list[str]:
    numbers = ["-" if row[key] is None else f"{row[key]:.4f}" for key in ("value", "stderr")]
    counts = ["-" if row[key] is None else str(row[key]) for key in ("cases", "empty")]
    return [row["task"], row["metric"], *numbers, *counts]
