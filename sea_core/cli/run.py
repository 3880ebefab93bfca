"""`sea run`: the commands of a pipeline file, one after the other; what has not changed is skipped."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed

if TYPE_CHECKING:
    from sea_core.cli.steps import Step
    from sea_core.runs.jsonl import JsonlLog

JOURNAL = "pipeline.jsonl"
STDERR = 2
"""The number of the standard error stream."""
DONE, FAILURES, UNCHANGED = "done", "finished with failures", "unchanged"


class StepRecord(TypedDict):
    """A command that has ended: its digest, its words, its exit code, 0 or 1, and the digest of the file it wrote."""

    step: str
    command: list[str]
    code: int
    written: str


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline file (`sea init` writes one).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands, and run none.")] = False,
    as_json: output.Json = False,
) -> None:
    """Run the commands of a pipeline file, from the text safety set to the report.

    What has been made with the same settings from the same data is not made again; other settings write to folders of
    their own. Re-run the same command to resume. Exit code 1 if a command finished with failures.
    """
    from sea_core.cli.steps import PipelineFile
    from sea_core.runs.jsonl import JsonlLog

    pipeline = PipelineFile.read(file, context.find_root().command)
    steps = list(pipeline.steps())
    if dry_run:
        output.emit([step.words for step in steps], as_json, lambda: "\n".join(map(_shown, steps)))
        return
    pipeline.folder.mkdir(parents=True, exist_ok=True)
    journal = JsonlLog(pipeline.folder / JOURNAL, StepRecord, key=("step",))
    results: list[str] = []
    for step in steps:
        results.append(_run_step(step, journal, is_new=any(result != UNCHANGED for result in results), quiet=as_json))
    value = [{"command": s.words, "output": s.output, "result": r} for s, r in zip(steps, results, strict=True)]
    cells = [(" ".join(s.command), s.output or "", r) for s, r in zip(steps, results, strict=True)]
    output.emit(value, as_json, lambda: output.grid(("command", "output", "result"), cells))
    exit_if_failed({"commands with failures, shown above": results.count(FAILURES)})


def _run_step(step: Step, journal: JsonlLog[StepRecord], *, is_new: bool, quiet: bool) -> str:
    """Run one command unless its result is there. A command that cannot go on ends all, with its exit code.

    Args:
        is_new: whether an earlier command has just been run.
        quiet: whether what it prints goes to stderr.
    """
    ended = next((record for record in journal.read() if record["step"] == step.digest), None)
    is_there = step.is_stored and (step.output is None or step.output.exists()) and not (step.is_summary and is_new)
    if ended and ended["code"] == 0 and is_there:
        _require_unedited(step, ended)
        output.note(f"unchanged: {_shown(step)}")
        return UNCHANGED
    output.note(f"$ {_shown(step)}")
    code = _call(step, quiet)
    if code not in (0, 1):
        output.note("The pipeline stopped here. What is finished is kept; re-run the same command to go on.")
        raise typer.Exit(code)
    journal.append([{"step": step.digest, "command": step.words, "code": code, "written": _file_digest(step)}])
    return FAILURES if code else DONE


def _require_unedited(step: Step, ended: StepRecord) -> None:
    """Raise SeaError for a file that people have edited: what was made from it would not be made again."""
    from sea_core.errors import SeaError

    if not step.is_summary and ended["written"] != _file_digest(step):
        raise SeaError(
            "this file was edited since the pipeline wrote it, and what follows was made from the original",
            hint="Rename it, name it as `data` of `optimize`, and remove the section `prepare`; or delete it.",
            where=str(step.output),
        )


def _file_digest(step: Step) -> str:
    """Return the digest of the file that a command wrote; empty where it wrote a folder, or nothing."""
    from sea_core.runs.digests import file_digest

    return file_digest(step.output) if step.output and step.output.is_file() else ""


def _call(step: Step, quiet: bool) -> int:
    """Run a command in a process of its own, which returns its memory, and return its exit code.

    Ctrl-C reaches both: the command stops cleanly, and is waited for. One that a signal has ended has failed.
    """
    command = [sys.executable, "-P", "-m", "sea_core.cli", *step.words]  # -P: no module of the working folder is run
    process = subprocess.Popen(command, stdout=STDERR if quiet else None)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if code < 0:
        output.note(f"the command was ended by signal {-code}; 9 is often a lack of memory")
        return 2
    return code


def _shown(step: Step) -> str:
    return shlex.join(["sea", *step.words])
