"""`sea styles`: ask a model about the style of real media, and write the style set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_core.pipeline.style_survey import StyleSet


def styles(
    media: Annotated[list[Path], typer.Argument(metavar="MEDIA...", help="Media files, or folders of them.")],
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    model: options.Model = None,
    out: Annotated[Path, typer.Option(help="The style set to write (JSON). Answers go beside it.")] = Path(
        "styles.json"
    ),
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Ask a model what the style of real media is, and write what it says as a style set.

    `sea optimize --styles FILE` draws from it. The same command again goes on where it stopped.
    """
    from sea_core.cli.progress import bar
    from sea_core.pipeline.style_survey import (
        ask_styles,
        collect,
        named_media,
        stored_answers,
        unanswered,
        write_styles,
    )
    from sea_core.plugin import loader
    from sea_core.runs.jsonl import JsonlLog

    found, adapter = loader.adapter(options.required(plugin), modality)
    files = named_media(media)
    target = options.Target.of(adapter, model, revision, dtype, device)
    fingerprint = target.fingerprint()
    of_model = fingerprint.removeprefix("sha256:").replace("/", "-") + ("" if dtype == "auto" else f".{dtype}")
    journal = JsonlLog(out.with_suffix(f".{of_model}.jsonl"))
    if left := unanswered(files, journal):
        mllm = target.load(adapter)
        with bar("styles", len(files), len(files) - len(left)) as progress:
            for count in ask_styles(mllm, files, journal):
                progress.advance(count)
    rows = stored_answers(files, journal).values()
    said = collect(adapter, [row["answer"] for row in rows if "answer" in row])
    about = {"plugin": found.name, "modality": adapter.modality, "model": target.checkpoint, "fingerprint": fingerprint}
    write_styles(out, said, about | {"files": len(files), "answers": str(journal.path)})
    broken = {row["file"]: row["error"] for row in rows if "error" in row}
    value = about | {"out": out, "styles": said.counts, "other": said.other, "share": said.share, "unreadable": broken}
    output.emit(value, as_json, lambda: output.grid(("style", "answers"), said.counts.items()))
    _notes(said, broken, adapter.style_prefix)


def _notes(said: StyleSet, broken: dict[str, str], prefix: str) -> None:
    for file, reason in broken.items():
        output.note(f"unreadable: {file}: {reason}")
    if said.share is not None and said.share < 0.5:
        output.note(
            f"Only {said.share:.0%} of the answers open with {prefix!r}, as this adapter's goals do; this model says "
            f"for example {next(iter(said.other))!r}. Give the adapter that opening as its style_prefix."
        )
    if broken:
        raise typer.Exit(1)
