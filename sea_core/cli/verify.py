"""`sea verify`: ask about the embeddings of a run in words that the optimisation did not use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, quality, show
from sea_core.cli.optimize import ask

if TYPE_CHECKING:
    from sea_core.judges.base import JudgeConfig
    from sea_core.verification.analysis.config import AnalysisConfig

Judges = Annotated[
    list[str],
    typer.Option("--judge", help="lexical, openai or transformers; repeatable.", show_default="lexical"),
]


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    model: options.Model = None,
    media: quality.MediaFolder = None,
    device: options.Device = "auto",
    judge: Judges = [],  # noqa: B006  # typer never changes it
    settings: options.Settings = [],  # noqa: B006
    as_json: output.Json = False,
) -> None:
    """Verify a finished run: VSR, the share of answers to held-out questions that name the content.

    Stored answers are not asked for again: name another judge, and it speaks about the same ones.

    With --media also the second view: how the embeddings lie beside real media, and whether a probe fitted on them
    reads those of the media that a metadata.jsonl labels.
    """
    from sea_core.errors import RunError
    from sea_core.judges.registry import CONTENT, open_judges
    from sea_core.runs.embedding_run import EmbeddingRun

    opened = EmbeddingRun(run)
    if opened.about["identity"].get("source") == "media":
        raise RunError(
            f"{run} holds real media that `sea encode` stored: nothing was optimised, and there is nothing to verify",
            hint="Give the run of a `sea optimize`; to lay it beside media, type: sea verify RUN --media FOLDER",
        )
    config, look = read_settings(settings)
    judges = open_judges(judge or ["lexical"], CONTENT, config, run)  # a missing key fails before a model is loaded
    view = quality.opened(opened, media, look)  # and so is a bad folder
    adapter, target = options.of_run(opened, model, device)
    if target.fingerprint() != opened.about["identity"]["model"]:
        raise RunError(
            f"the run was made with another model ({opened.about['model']}) than {target.checkpoint}",
            hint="An embedding is read by the model that it was made for. Give that one with --model.",
        )
    mllm = target.load(adapter) if view and view.remaining() else None
    with opened.writing():
        ask(opened, adapter, target, mllm, judges=judges)
        if view and mllm:
            quality.look(view, opened, mllm)
    show.report(opened, as_json, view)


def read_settings(settings: list[str]) -> tuple[JudgeConfig, AnalysisConfig]:
    """Read what was set: chat.* for language models that judge, quality.* for the look at real media."""
    from sea_core.config import override, parse_overrides, reject_unknown, setting_names
    from sea_core.judges.base import JudgeConfig
    from sea_core.llm.config import LLMConfig
    from sea_core.verification.analysis.config import AnalysisConfig

    chat, left = override(LLMConfig(), parse_overrides(None, settings), "chat")
    look, left = override(AnalysisConfig(), left, "quality")
    reject_unknown(left, [*setting_names(chat, "chat"), *setting_names(look, "quality")])
    return JudgeConfig(chat=chat), look
