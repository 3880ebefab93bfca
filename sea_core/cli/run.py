"""`sea run`: the commands of a pipeline file, one after the other; what has not changed is skipped."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed

if TYPE_CHECKING:
    from sea_core.pipeline.steps import Step
    from sea_core.runs.jsonl import JsonlLog

JOURNAL = "pipeline.jsonl"
STDERR = 2
"""The number of the standard error stream."""
DONE, FAILURES, UNCHANGED = "done", "finished with failures", "unchanged"


class StepRecord(TypedDict):
    """A command that has ended: its digest, its words, its exit code, 0 or 1, and how many had ended before."""

    step: str
    command: list[str]
    code: int
    number: int


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline file (`sea init` writes one).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands, and run none.")] = False,
    as_json: output.Json = False,
) -> None:
    """Run the commands of a pipeline file, from the text safety set to the report.

    All options, settings and files are checked before the first command is run.

    What has been made with the same settings from the same data is not made again; other settings write to folders of
    their own. Re-run the same command to resume. Exit code 1 if a command finished with failures.
    """
    from sea_core.cli.pipeline_check import check_steps
    from sea_core.cli.pipeline_file import read_pipeline
    from sea_core.runs.jsonl import JsonlLog

    pipeline = read_pipeline(file, context.find_root().command)
    steps = list(pipeline.steps())
    check_steps(file, steps, context.find_root().command)
    if dry_run:
        output.emit([step.words for step in steps], as_json, lambda: "\n".join(map(_shown, steps)))
        return
    pipeline.folder.mkdir(parents=True, exist_ok=True)
    journal = JsonlLog(pipeline.folder / JOURNAL, StepRecord, key=("step",))
    results = [(step, _run_step(step, journal, quiet=as_json)) for step in pipeline.steps()]  # one after the other
    value = [{"command": step.words, "output": step.output, "result": result} for step, result in results]
    cells = [(" ".join(step.command), step.output or "", result) for step, result in results]
    output.emit(value, as_json, lambda: output.grid(("command", "output", "result"), cells))
    failures = sum(result == FAILURES for _, result in results)
    exit_if_failed({"commands with failures, shown above": failures})


def _run_step(step: Step, journal: JsonlLog[StepRecord], *, quiet: bool) -> str:
    """Run one command unless its result is there. A command that cannot go on ends all, with its exit code.

    Args:
        quiet: whether what it prints goes to stderr.
    """
    from sea_core.errors import RunError

    ended = {record["step"]: record for record in journal.read()}
    if _is_done(step, ended):
        output.note(f"unchanged: {_shown(step)}")
        return UNCHANGED
    if step.digest is None:
        hint = "Re-run the same command: it makes the file again."
        raise RunError("what an earlier command wrote is not there", hint=hint, where=" ".join(step.arguments))
    output.note(f"$ {_shown(step)}")
    code = _call(step, quiet)
    if code not in (0, 1):
        output.note("The pipeline stopped here. What is finished is kept; re-run the same command to go on.")
        raise typer.Exit(code)
    number = max((record["number"] for record in ended.values()), default=-1) + 1
    journal.append([{"step": step.digest, "command": step.words, "code": code, "number": number}])
    return FAILURES if code else DONE


def _is_done(step: Step, ended: Mapping[str, StepRecord]) -> bool:
    """Return whether a command has succeeded after all that it depends on, and its result is there."""
    record = ended.get(step.digest or "")
    if record is None or record["code"] or not step.is_stored or (step.output and not step.output.exists()):
        return False
    inputs = [ended.get(each or "") for each in step.inputs]
    return all(each is not None and each["number"] < record["number"] for each in inputs)


def _call(step: Step, quiet: bool) -> int:
    """Run a command in a process of its own, which returns its memory, and return its exit code.

    It has a session of its own, so that a stop reaches it once, from here: a second signal would end it at once. One
    that a signal has ended has failed.
    """
    command = [sys.executable, "-P", "-m", "sea_core.cli", *step.words]  # -P: no module of the working folder is run
    process = subprocess.Popen(command, stdout=STDERR if quiet else None, start_new_session=True)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if code < 0:
        output.note(f"the command was ended by signal {-code}; 9 is often a lack of memory")
        return 2
    return code


def _shown(step: Step) -> str:
    return shlex.join(["sea", *step.words])
