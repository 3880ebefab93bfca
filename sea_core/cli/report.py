"""`sea report`: runs of any kind as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.inputs import refusing, require_folder


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            callback=refusing(require_folder),
            help="Folders of sea optimize, encode, align and bench run, in any mixture.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The page, one HTML file.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="The title of the page.")] = "SEA report",
    rows: Annotated[int, typer.Option(min=0, help="How many rows of texts each part has at most.")] = 200,
    media: Annotated[bool, typer.Option(help="Show pictures, frames of videos, sounds and signals.")] = True,
    media_root: options.MediaRoot = None,
    label_errors: options.LabelErrors = "",
    as_json: output.Json = False,
) -> None:
    """Write one HTML page about runs: verdicts, tables, plots, and the rows with their texts, answers and media.

    The file needs no network, and can be sent to others: look through its rows first, which may be harmful. Every
    figure leads to the rows that it is computed from. Texts and media that may be harmful are folded.
    """
    from sea_core.pipeline.report import report as write_report
    from sea_core.report.content import PageOptions

    found = write_report(runs, out, title=title, options=PageOptions(rows, media, media_root, label_errors))
    value = {
        "page": str(found.path),
        "bytes": found.size,
        "parts": [
            {
                "title": section.title,
                "kind": section.kind,
                "headline": section.headline,
                "level": section.level,
                "rows": len(section.rows),
                "total": section.total,
            }
            for section in found.sections
        ],
    }
    lines = [(f"{section.kind}: {section.title}", section.headline) for section in found.sections]
    output.emit(value, as_json, lambda: output.grid(("part", "verdict"), lines))
    for section in found.sections:
        if section.left_out:
            output.note(f"{section.title}: {section.left_out} More: --rows {section.total}")
    output.note(f"{found.path}: {max(1, round(found.size / 1000)):,} kB. Open it in a browser.")
