"""`sea verify`: ask about the embeddings of a run in words that the optimisation did not use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output, quality, show
from sea_core.cli.optimize import ask


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    model: options.Model = None,
    media: quality.MediaFolder = None,
    settings: options.Settings = [],  # noqa: B006  # typer never changes it
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Verify a finished run: VSR, the share of answers to held-out questions that name the content.

    With --media also the second view: how the embeddings lie beside real media, and whether a probe fitted on them
    reads those of the media that a metadata.jsonl labels.
    """
    from sea_core.errors import RunError
    from sea_core.run import Run

    opened = Run(run)
    view = quality.opened(opened, media, settings)  # a bad folder is told before a model is loaded
    adapter, target = options.of_run(opened, model, device)
    if target.fingerprint() != opened.about["identity"]["model"]:
        raise RunError(
            f"the run was made with another model ({opened.about['model']}) than {target.checkpoint}",
            hint="An embedding is read by the model that it was made for. Give that one with --model.",
        )
    mllm = target.load(adapter) if view and view.left() else None
    with opened.writing():
        ask(opened, adapter, target, mllm)
        if view and mllm:
            quality.look(view, opened, mllm)
    show.report(opened, as_json, view)
