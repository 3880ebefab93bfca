"""`sea plan`: what an optimisation will take, before any weight is loaded."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output, synthesis

if TYPE_CHECKING:
    from sea_core.optimization.estimate import Estimate


def plan(
    rows: options.RowsFile = None,
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    model: options.Model = None,
    recipe: synthesis.RecipeNames = "plain",
    media: synthesis.MediaFolder = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    limit: options.Limit = None,
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    steps: Annotated[int, typer.Option(min=1, help="Steps that a row is taken to need.")] = 60,
    as_json: output.Json = False,
) -> None:
    """Tell memory, rows in flight, FLOP and hours of an optimisation. Takes what `sea optimize` takes."""
    import torch

    from sea_core.optimization.estimate import estimate as make
    from sea_core.plugin import loader

    _, adapter = loader.adapter(options.required(plugin), modality)
    how, adapter = synthesis.read(adapter, recipe, media, config, option)
    data = options.Data(rows, format, columns, limit=limit, split=split, skip_bad=skip_bad)
    prepared = data.prepare(data.read(), adapter, how.told.seed, how.told.benign_examples).prepared
    planned = how.of_rows(prepared, adapter).todo
    target = options.Target.of(adapter, model, revision, dtype, device)
    where = torch.device(target.device_name())
    told_dtype = target.dtype_name()
    found = make(replace(target, device="meta", dtype=told_dtype).load(adapter), planned, where, steps)
    about = {"plugin": plugin, "model": target.checkpoint, "device": str(where), "dtype": told_dtype}
    output.emit(about | asdict(found), as_json, lambda: output.grid(("plan", "value"), _lines(about, found)))
    if not found.slots:
        output.note(
            "The weights and one row do not fit into the free memory of this device: type --dtype bfloat16, "
            "a smaller blank (-o adapter.…), or another --device."
        )


def _lines(about: dict[str, Any], found: Estimate) -> list[tuple[str, str]]:
    speed = f"{found.speed / 1e12:.3g} TFLOP/s in a large matrix product, measured"
    return [
        ("rows", str(found.rows)),
        ("model", f"{about['model']}, {_size(found.weights)} of weights in {about['dtype']}"),
        ("device", f"{about['device']}, {_size(found.free)} free, {speed}"),
        ("tokens of the longest row", f"{found.media} for the medium, {found.text} of text"),
        ("memory of a row in flight", _size(found.row)),
        ("rows in flight", str(found.slots)),
        ("FLOP of a step of one row", f"{found.flop / 1e12:.3g} T"),
        ("time", f"{_hours(found.hours)} at {found.steps} steps a row and half of that speed"),
    ]


def _size(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def _hours(hours: float) -> str:
    return f"{hours:.3g} hours" if hours >= 1 else f"{hours * 60:.3g} minutes"
