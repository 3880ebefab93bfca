"""`sea pull`: a run or an aligned model that somebody has pushed comes into a new folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_core.pipeline.share import Pull

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="hf:OWNER/NAME, also with @COMMIT; a folder; or what fsspec knows.")
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")]
MaxGb = Annotated[float, typer.Option(min=0, help="Refuse a source with more gigabytes than this.")]


def pull(
    source: Source,
    folder: Folder,
    text: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="The text safety set that the run was made from, to put its texts back."),
    ] = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    max_gb: MaxGb = 100,
    as_json: output.Json = False,
) -> None:
    """Read a run of embeddings or an aligned model that was pushed, into a new folder, and check every byte.

    Re-run the same command to resume. Nothing is overwritten, and no file is taken that the source does not list. A
    run that was pushed without texts gets them back from your copy of the text safety set, with --text.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.data_spec import DataSpec, parse_columns
    from sea_core.pipeline.share import pull as pull_folder
    from sea_core.runs.folder_kind import MODEL
    from sea_core.sharing.models import use_command

    data = DataSpec(text, format, parse_columns(columns), split=split) if text else None
    pulled = pull_folder(source, folder, text=data, max_bytes=max_gb * 1e9, progress=TERMINAL)
    report_pull(pulled, as_json)
    if pulled.withheld:
        output.note(
            f"{pulled.withheld} embeddings lack the texts of their examples, which `sea align` needs. With the data "
            f"that they were made from: sea pull {source} {folder} --text DATA"
        )
    is_model = pulled.listing.manifest == MODEL.manifest
    next_step = use_command(pulled.listing.files, folder) if is_model else f"sea show {folder}"
    output.note(f"Next: {next_step}")


def report_pull(pulled: Pull, as_json: bool) -> None:
    """Print what was pulled."""
    listing = pulled.listing
    value = {
        "folder": pulled.folder,
        "what": listing.what,
        "licence": listing.licence,
        "fingerprint": listing.fingerprint,
        "files": len(listing.files),
        "downloaded": pulled.downloaded,
        "bytes": listing.size,
        "with_text": listing.with_text,
        **({} if pulled.texts is None else {"texts": pulled.texts, "without_texts": pulled.withheld}),
    }
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
