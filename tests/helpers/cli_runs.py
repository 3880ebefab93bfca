"""Small runs made with `sea optimize`, for the tests of the commands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.cli import CliResult, sea
from sea_core.data.demo import DEMO_EXAMPLES

PLUGIN = "qwen2_audio"
QUICK = ("-o", "adapter.seconds=0.5", "-o", "loss=1", "-o", "margin=0")
"""Settings with which optimisation takes a few steps."""


def optimize_command(examples: Path, out: Path, *more: object) -> tuple[object, ...]:
    """Return the arguments of a quick `sea optimize`."""
    return ("optimize", examples, "--plugin", PLUGIN, "--out", out, *QUICK, *more)


def write_demo_examples(path: Path, count: int) -> Path:
    """Write the first `count` demo examples to a file and return its path."""
    lines = DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:count]), encoding="utf-8")
    return path


def file_contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder, by its path in the folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def append_newline(path: Path) -> None:
    """Change a file's digest without changing what it means."""
    path.write_bytes(path.read_bytes() + b"\n")


def truncate_half(path: Path) -> None:
    """Cut off the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def records(run: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a run by id, as `sea show` prints them."""
    return {record["id"]: record for record in sea("show", run, "--json").json()}


@dataclass(frozen=True)
class FinishedRun:
    """An optimised and verified run of three examples, and the result of the command that made it."""

    examples: Path
    run: Path
    result: CliResult

    def copy(self, folder: Path) -> Path:
        """Copy the run folder, so that a test can change it."""
        return Path(shutil.copytree(self.run, folder / "copy"))
