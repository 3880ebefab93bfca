"""`sea check`: whether a folder still has the bytes that were written, and whether it is finished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.errors import number_of

SHOWN = 8
"""Number of places with unchecked files that are named."""


def check(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A run, a model folder, a benchmark run, a built benchmark or a study."),
    ],
    as_json: output.Json = False,
) -> None:
    """Check every byte of a folder that SEA wrote. Exit code 1 if a file is damaged or missing, or it is not finished.

    Files that nothing can be compared with are named: SEA did not write them, or people may edit them, or what writes
    them has not ended. Of a study, each run folder in it is checked.

    Re-run the command that wrote the folder to make again what is damaged, and to finish it. It puts damaged files
    aside, in the folder `damaged`.
    """
    from sea_core.runs.check import check_folder

    found = check_folder(folder)
    problems = [*found.damage, *found.unfinished]
    value = {
        "folder": folder,
        "checked": found.checked,
        "damage": [asdict(damage) for damage in found.damage],
        "unfinished": [asdict(each) for each in found.unfinished],
        "unchecked": found.unchecked,
    }
    cells = [(each.path, each.problem) for each in problems]
    summary = f"{number_of(len(found.checked), 'file')} checked, {number_of(len(problems), 'problem')}"
    output.emit(value, as_json, lambda: output.grid(("file", "problem"), cells) if cells else summary)
    if found.unchecked:
        output.note(f"not checked, since nothing says what they must contain: {_places(found.unchecked)}")
    if problems:
        does = ["makes again what is damaged"] * bool(found.damage) + ["does the rest"] * bool(found.unfinished)
        output.note(
            f"{summary}. If no command is writing the folder, re-run the one that did: it {' and '.join(does)}."
        )
    exit_if_failed({"damaged or missing files": len(found.damage), "parts not finished": len(found.unfinished)})


def _places(names: Sequence[str]) -> str:
    """Return files in words: those in a subfolder by its name and their number."""
    counted = Counter(f"{name.partition('/')[0]}/" if "/" in name else name for name in names)
    shown = [
        f"{place} ({number_of(count, 'file')})" if place.endswith("/") else place for place, count in counted.items()
    ]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more
