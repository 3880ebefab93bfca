"""`sea verify`: ask about the embeddings of a run in words that the optimisation did not use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, show
from sea_core.cli.optimize import ask

if TYPE_CHECKING:
    from sea_core.judges.content import ContentJudge

Judges = Annotated[
    list[str],
    typer.Option("--judge", help="match, openai or transformers; may be given several times.", show_default="match"),
]


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    model: options.Model = None,
    device: options.Device = "auto",
    judge: Judges = [],  # noqa: B006  # typer never changes it
    settings: options.Settings = [],  # noqa: B006
    as_json: output.Json = False,
) -> None:
    """Verify a finished run: VSR, the share of answers to held-out questions that name the content.

    Stored answers are not asked for again: name another judge, and it speaks about the same ones.
    """
    from sea_core.errors import RunError
    from sea_core.run import Run

    opened = Run(run)
    judges = content_judges(judge or ["match"], settings, run)  # a missing key is told before a model is loaded
    adapter, target = options.of_run(opened, model, device)
    if target.fingerprint() != opened.about["identity"]["model"]:
        raise RunError(
            f"the run was made with another model ({opened.about['model']}) than {target.checkpoint}",
            hint="An embedding is read by the model that it was made for. Give that one with --model.",
        )
    with opened.writing():
        ask(opened, adapter, target, judges=judges)
    show.report(opened, as_json)


def content_judges(names: list[str], settings: list[str], run: Path) -> list[ContentJudge]:
    """Return the judges of those names. Language models take the settings chat.*, and keep their replies in the run."""
    from sea_core.chat import KINDS, ChatConfig, open_chat
    from sea_core.errors import SeaError
    from sea_core.journal import Journal
    from sea_core.judges.match import Match
    from sea_core.judges.naming import Naming
    from sea_core.settings import apply, gather, near, refuse_rest
    from sea_core.settings import names as known

    config, left = apply(ChatConfig(), gather(None, settings), "chat")
    refuse_rest(left, known(config, "chat"))
    found: list[ContentJudge] = []
    for name in dict.fromkeys(names):
        if name not in ("match", *KINDS):
            raise SeaError(f"there is no judge {name!r}", hint=near(name, ("match", *KINDS)))
        found.append(Match() if name == "match" else Naming(open_chat(name, config), Journal(run / "naming.jsonl")))
    return found
