"""A small run as a person makes it with `sea optimize`, for the tests of the commands."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.cli import CliResult, sea
from sea_core.data.demo import DEMO_EXAMPLES

PLUGIN = "qwen2_audio"
QUICK = ("-o", "adapter.seconds=0.5", "-o", "loss=1", "-o", "margin=0")


def optimize(rows: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("optimize", rows, "--plugin", PLUGIN, "--out", out, *QUICK, *more)


def demo(path: Path, count: int) -> Path:
    path.write_text(
        "".join(DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)[:count]), encoding="utf-8"
    )
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def records(run: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in sea("show", run, "--json").json()}


@dataclass(frozen=True)
class Finished:
    """A run of three rows that was optimised and verified, and what `--json` said of it."""

    rows: Path
    run: Path
    said: CliResult

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.run, folder / "copy"))
