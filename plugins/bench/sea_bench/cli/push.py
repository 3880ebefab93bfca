"""`sea bench push`: a benchmark, or a benchmark run, goes to a repository of the hub or to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output
from sea_core.cli.inputs import refusing, require_folder
from sea_core.cli.push import Licence, Public, Target, WithText, Yes, confirm, report_push


def push(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", callback=refusing(require_folder), help="A benchmark run, or a built benchmark."
        ),
    ],
    target: Target,
    licence: Licence = None,
    with_text: WithText = False,
    public: Public = False,
    yes: Yes = False,
    as_json: output.Json = False,
) -> None:
    """Send a benchmark or a benchmark run to a hub repository (private by default) or a folder, with a card.

    Both consist of texts, so --with-text is needed. Says first what would be sent, and asks, as `sea push`.
    """
    from sea_bench.pipeline.share import KINDS
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.share import push as push_folder
    from sea_core.sharing.places import require_lasting

    require_lasting(target)
    sent = push_folder(
        folder,
        target,
        licence=licence,
        with_text=with_text,
        public=public,
        confirm=confirm(yes),
        kinds=KINDS,
        progress=TERMINAL,
    )
    report_push(sent, "sea bench pull", as_json)
