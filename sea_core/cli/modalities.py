"""`sea modalities`: what can be optimised for, and by which plugin."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_core.model.adapter import Adapter
    from sea_core.plugin.loader import Plugin

COLUMNS = ("modality", "plugin", "model class", "default checkpoint", "embedding", "distribution")


def modalities(as_json: output.Json = False) -> None:
    """List the modalities of the installed plugins."""
    from sea_core.plugin.loader import installed

    found = installed()
    offers = [(plugin, adapter) for plugin in found for adapter in plugin.adapters]
    rows = [
        {
            "modality": adapter.modality,
            "plugin": plugin.name,
            "model_class": list(adapter.architectures),
            "checkpoint": adapter.checkpoint,
            "embedding_shape": adapter.embedding_shape,
            "distribution": plugin.distribution,
            "version": plugin.version,
        }
        for plugin, adapter in offers
    ]
    output.emit(rows, as_json, lambda: output.grid(COLUMNS, [_cells(*offer) for offer in offers]))
    broken = [plugin.name for plugin in found if plugin.error]
    if broken:
        output.note(f"Not usable: {', '.join(broken)}. `sea plugins` says why.")
    if not rows:
        output.note("No modality is installed. Install a plugin with pip, or use a local file: --plugin ./my_plugin.py")


def _cells(plugin: Plugin, adapter: Adapter) -> list[str]:
    classes = "\n".join(adapter.architectures)
    origin = f"{plugin.distribution} {plugin.version}"
    return [adapter.modality, plugin.name, classes, _short(adapter.checkpoint), adapter.embedding_shape, origin]


def _short(checkpoint: str) -> str:
    """Cut the path of a folder that came with a plugin to its end; a hub id stays."""
    path = PurePath(checkpoint)
    return str(PurePath("...", *path.parts[-2:])) if path.is_absolute() else checkpoint
