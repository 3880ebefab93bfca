"""`sea bench pick`: pick the best candidate of each case in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output
from sea_core.errors import number_of


def pick(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that sea bench build wrote.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8765,
    as_json: output.Json = False,
) -> None:
    """Pick the best candidate of each case, on a page that is served to this machine only.

    Ctrl-C ends it.
    """
    from sea_bench.build.picks import Picks
    from sea_bench.pages.pick import PickPage
    from sea_bench.pages.server import serve

    picks = Picks(folder)
    candidate_sets = picks.find_candidates()

    def on_ready(address: str) -> None:
        output.note(
            f"{number_of(len(candidate_sets), 'case')} to pick from: open {address}  (Ctrl-C when done; picks are kept)"
        )

    serve(PickPage(picks, candidate_sets), port, on_ready)
    picked = picks.read()
    value = {
        "folder": folder,
        "cases": len(candidate_sets),
        "picked": sum(candidate_set.key in picked for candidate_set in candidate_sets),
    }
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
    output.note("Next: re-run the same `sea bench build` command to make the media from the picks.")
