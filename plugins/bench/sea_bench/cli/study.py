"""`sea study`: arms x seeds x models, from a text safety set to an answer to each of the paper's claims."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_bench.cli import tables
from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_folder, require_path

if TYPE_CHECKING:
    from sea_bench.study.report import StudyReport

SHOWN = 5
"""Number of failed tasks that are listed."""

app = typer.Typer(
    name="study",
    rich_help_panel="Evaluate",
    help="Compare ways to align models, over seeds and models, and answer the paper's claims.",
    no_args_is_help=True,
)

Test = Annotated[bool, typer.Option("--test", help="The benchmarks for the end; default: those for validation.")]


@app.command("run")
def run(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", callback=refusing(require_path), help="A study file (`sea toy study` writes one)."
        ),
    ],
    quick: Annotated[bool, typer.Option("--quick", help="With what the file's section `quick` changes.")] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Also answer the test benchmarks, and report on them: once, at the end.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that work at the same time.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the tasks, and do none.")] = False,
    only_work: Annotated[bool, typer.Option("--only-work", hidden=True, help="Print no report.")] = False,
    format: tables.Format = "table",
    as_json: output.Json = False,
) -> None:
    """Make the embeddings, models, answers and verdicts that a study lacks, and report on it.

    Each part is an ordinary run folder in the study's folder: `sea show`, `sea check` and `sea report` take it. Re-run
    the same command to resume, or with more arms or seeds. Exit code 1 if a task failed.
    """
    from sea_bench.study.file import read_study
    from sea_bench.study.plan import plan_study
    from sea_bench.study.report import report_study
    from sea_bench.study.run import run_study
    from sea_bench.study.study import PARTS
    from sea_core.cli.progress import TERMINAL

    if only_work:
        from sea_core.pipeline.worker_process import end_with_parent

        end_with_parent()
    study = read_study(file, quick=quick)
    if dry_run:
        tasks = plan_study(study, PARTS if test else PARTS[:1]).tasks
        value = [{"task": task.label, "folder": task.folder} for task in tasks]
        output.emit(value, as_json, lambda: output.grid(("task", "folder"), [list(each.values()) for each in value]))
        return
    flags = [name for name, given in (("--quick", quick), ("--test", test)) if given]
    words = ["study", "run", str(file), *flags]
    with _other_workers(words, jobs - 1):
        result = run_study(study, test=test, command=shlex.join(["sea", *words]), jobs=jobs, progress=TERMINAL)
    if only_work:
        return
    for task, error in list(result.failed.items())[:SHOWN]:
        output.note(f"failed: {task}: {error}")
    _print(report_study(result.folder, test=test), format, as_json)
    output.note(f"Next: sea study report {result.folder} --format markdown")
    exit_if_failed({"tasks that failed": len(result.failed), "tasks that need them": len(result.skipped)})


@app.command("report")
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", callback=refusing(require_folder), help="The folder of a study.")
    ],
    test: Test = False,
    format: tables.Format = "table",
    as_json: output.Json = False,
) -> None:
    """Show the tables of a study, and the answers to the claims, from its stored answers.

    Exit code 1 if arms or seeds are missing.
    """
    from sea_bench.study.report import report_study

    found = report_study(folder, test=test)
    _print(found, format, as_json)
    exit_if_failed({"arms without some of their seeds": sum(bool(result.missing) for result in found.results)})


@app.command("arms")
def arms(as_json: output.Json = False) -> None:
    """List the arms that a study file can name."""
    from sea_bench.study.arms import known_arms

    value = [{"arm": arm.name, "role": arm.role, "description": arm.summary} for arm in known_arms()]
    cells = [list(entry.values()) for entry in value]
    output.emit(value, as_json, lambda: output.grid(("arm", "role", "description"), cells))


def _print(report: StudyReport, format: str, as_json: bool) -> None:
    if as_json or format == "json":
        output.emit(report.as_dict(), True, lambda: "")
    elif format == "markdown":
        output.lines(report.markdown())
    else:
        for table in report.tables():
            tables.print_table(table, format)
        for note in report.notes():
            output.note(note)


@contextmanager
def _other_workers(words: list[str], count: int) -> Iterator[None]:
    """Let further processes work on the study inside the block; they print nothing. Ctrl-C ends them as well.

    They end by themselves when nothing is left to do. What one of them could not do, this process tries again, and
    reports.
    """
    from sea_core.pipeline.launch import PARENT, STOP_SECONDS

    command = [sys.executable, "-P", "-m", "sea_core.cli", *words, "--only-work"]
    null, environment = subprocess.DEVNULL, os.environ | {PARENT: str(os.getpid())}
    started = [
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True, env=environment)
        for _ in range(count)
    ]
    is_done = False
    try:
        yield
        is_done = True
    finally:
        for process in started:
            if not is_done:
                process.terminate()  # a process that was started in the background ignores SIGINT
        for process in started:
            try:
                process.wait(None if is_done else STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
