"""`sea check`: whether a folder still has the bytes that were written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed


def check(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A run, a model folder, a benchmark run or a built benchmark."),
    ],
    as_json: output.Json = False,
) -> None:
    """Check every byte of a folder that SEA wrote. Exit code 1 if a file is damaged or missing.

    To make again what is damaged, re-run the command that wrote the folder: it puts damaged files aside, in the folder
    `damaged`.
    """
    from sea_core.runs.check import check_folder

    found = check_folder(folder)
    value = {"folder": folder, "checked": found.checked, "damage": [asdict(damage) for damage in found.damage]}
    cells = [(damage.path, damage.problem) for damage in found.damage]
    summary = f"{len(found.checked)} files checked, {len(cells)} problems"
    output.emit(value, as_json, lambda: output.grid(("file", "problem"), cells) if cells else summary)
    if cells:
        output.note(f"{summary}. Re-run the command that wrote the folder: it makes again what is damaged.")
    exit_if_failed({"damaged or missing files": len(cells)})
