"""`sea verify`: ask about the embeddings of a run in words that the optimisation did not use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output, show
from sea_core.cli.optimize import ask


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    model: options.Model = None,
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Verify a finished run: VSR, the share of answers to held-out questions that name the content."""
    from sea_core.errors import RunError
    from sea_core.run import Run

    opened = Run(run)
    adapter, target = options.of_run(opened, model, device)
    if target.fingerprint() != opened.about["identity"]["model"]:
        raise RunError(
            f"the run was made with another model ({opened.about['model']}) than {target.checkpoint}",
            hint="An embedding is read by the model that it was made for. Give that one with --model.",
        )
    with opened.writing():
        ask(opened, adapter, target)
    show.report(opened, as_json)
