"""`sea verify`: ask about the embeddings of a run in words that the optimisation did not use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, quality, show
from sea_core.cli.optimize import ask

if TYPE_CHECKING:
    from sea_core.judges.content import ContentJudge
    from sea_core.llm.config import ChatConfig
    from sea_core.verification.analysis.config import QualityConfig

Judges = Annotated[
    list[str],
    typer.Option("--judge", help="match, openai or transformers; may be given several times.", show_default="match"),
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
    from sea_core.runs.embedding_run import Run

    opened = Run(run)
    if opened.about["identity"].get("source") == "media":
        raise RunError(
            f"{run} holds real media that `sea encode` stored: nothing was optimised, and there is nothing to verify",
            hint="Give the run of a `sea optimize`; to lay it beside media, type: sea verify RUN --media FOLDER",
        )
    chat, look = read_settings(settings)
    judges = content_judges(judge or ["match"], chat, run)  # a missing key is told before a model is loaded
    view = quality.opened(opened, media, look)  # and so is a bad folder
    adapter, target = options.of_run(opened, model, device)
    if target.fingerprint() != opened.about["identity"]["model"]:
        raise RunError(
            f"the run was made with another model ({opened.about['model']}) than {target.checkpoint}",
            hint="An embedding is read by the model that it was made for. Give that one with --model.",
        )
    mllm = target.load(adapter) if view and view.left() else None
    with opened.writing():
        ask(opened, adapter, target, mllm, judges=judges)
        if view and mllm:
            quality.look(view, opened, mllm)
    show.report(opened, as_json, view)


def read_settings(settings: list[str]) -> tuple[ChatConfig, QualityConfig]:
    """Read what was set: chat.* for language models that judge, quality.* for the look at real media."""
    from sea_core.config import gather, names, override, refuse_rest
    from sea_core.llm.config import ChatConfig
    from sea_core.verification.analysis.config import QualityConfig

    chat, left = override(ChatConfig(), gather(None, settings), "chat")
    look, left = override(QualityConfig(), left, "quality")
    refuse_rest(left, [*names(chat, "chat"), *names(look, "quality")])
    return chat, look


def content_judges(names: list[str], chat: ChatConfig, run: Path) -> list[ContentJudge]:
    """Return the judges of those names. Language models take the settings chat.*, and keep their replies in the run."""
    from sea_core.config import near
    from sea_core.errors import SeaError
    from sea_core.judges.lexical import Match
    from sea_core.judges.llm_content import Naming
    from sea_core.llm.backends import KINDS, open_chat
    from sea_core.runs.jsonl import Journal

    found: list[ContentJudge] = []
    for name in dict.fromkeys(names):
        if name not in ("match", *KINDS):
            raise SeaError(f"there is no judge {name!r}", hint=near(name, ("match", *KINDS)))
        found.append(Match() if name == "match" else Naming(open_chat(name, chat), Journal(run / "naming.jsonl")))
    return found
