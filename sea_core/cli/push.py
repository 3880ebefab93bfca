"""`sea push`: a run or an aligned model goes to a repository of the hub, or to a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output
from sea_core.cli.inputs import refusing, require_folder

if TYPE_CHECKING:
    from sea_core.pipeline.share import Push

Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="hf:OWNER/NAME, a new folder, or an address that fsspec knows.")
]
Licence = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Its licence, such as cc-by-4.0. Default: what the source's own card names."),
]
WithText = Annotated[
    bool, typer.Option("--with-text/--without-text", help="Send people's texts too, harmful ones included.")
]
Public = Annotated[bool, typer.Option("--public", help="A new repository may be read by everybody.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")]


def push(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", callback=refusing(require_folder), help="A run of embeddings, or an aligned model."
        ),
    ],
    target: Target,
    licence: Licence = None,
    with_text: WithText = False,
    public: Public = False,
    yes: Yes = False,
    as_json: output.Json = False,
) -> None:
    """Send a run of embeddings or an aligned model to a hub repository (private by default) or a folder, with a card.

    Says first what would be sent and what stays here, and asks. Every byte is checked before; damaged folders are not
    sent. The hub's token is that of HF_TOKEN or of `hf auth login`.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.share import push as push_folder
    from sea_core.sharing.places import require_lasting

    require_lasting(target)
    sent = push_folder(
        run, target, licence=licence, with_text=with_text, public=public, confirm=confirm(yes), progress=TERMINAL
    )
    report_push(sent, "sea pull", as_json)


def confirm(yes: bool) -> Callable[[Push], bool]:
    """Return the question that is asked before anything is sent. Without a terminal, only --yes answers it."""

    def ask(push: Push) -> bool:
        from sea_core.errors import SeaError

        for name, text in push.summary():
            output.note(f"  {name.lower():12} {text}")
        if yes:
            return True
        if not sys.stdin.isatty():
            raise SeaError("nothing was sent: nobody can be asked here", hint="If this is what you want, add --yes.")
        return typer.confirm("Send this?", err=True)

    return ask


def report_push(sent: Push | None, command: str, as_json: bool) -> None:
    """Print what was sent."""
    if sent is None:
        output.note("Nothing was sent.")
        raise typer.Exit(1)
    listing = sent.listing
    value = {
        "folder": sent.folder,
        "target": sent.target,
        "files": len(listing.files),
        "bytes": listing.size,
        "licence": listing.licence,
        "with_text": listing.with_text,
        "fingerprint": listing.fingerprint,
    }
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
    output.note(f"To get it elsewhere: {command} {sent.target} FOLDER")
