"""`sea prepare`: what would be optimised, and why some rows would not; loads no model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output


def prepare(
    rows: options.RowsFile = None,
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    seed: Annotated[int, typer.Option(help="Draws the styles.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write every row with its outcome to this JSONL file.")] = None,
    as_json: output.Json = False,
) -> None:
    """Prepare a text safety file without a model: how many rows, and why others were refused."""
    from sea_core import plugins

    _, adapter = plugins.adapter(options.required(plugin), modality)
    data = options.Data(rows, format, columns, split=split, skip_bad=skip_bad)
    read = data.read()
    preparation = data.prepare(read, adapter, seed, "embed")
    if out:
        preparation.write(out)
    value = {
        "file": data.file, "format": read.format, "rows": len(read.rows), "dropped": read.dropped, "bad": len(read.bad),
        "prepared": len(preparation.prepared), "refused": len(preparation.refused), "reasons": preparation.reasons(),
        "example": [p.extraction.detoxified for p in preparation.prepared[:1]],
    }  # fmt: skip
    lines = [("rows", len(read.rows)), ("prepared", len(preparation.prepared)), ("refused", len(preparation.refused))]
    lines += [(f"refused: {reason}", count) for reason, count in preparation.reasons().items()]
    lines += [(f"dropped: {rule}", count) for rule, count in read.dropped.items()]
    lines += [("bad", len(read.bad))] if read.bad else []
    output.emit(value, as_json, lambda: output.grid(("", "rows"), lines))
