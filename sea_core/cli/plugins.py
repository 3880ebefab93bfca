"""`sea plugins`: what is installed, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_core.plugin.loader import Plugin

COLUMNS = ("plugin", "distribution", "version", "modalities", "state")


def plugins(as_json: output.Json = False) -> None:
    """List the installed plugins, and why a broken one is broken."""
    from sea_core.plugin.loader import installed

    found = installed()
    rows = [
        {
            "plugin": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "modalities": [adapter.modality for adapter in plugin.adapters],
            "blueprints": [blueprint.name for blueprint in plugin.blueprints],
            "extractors": [extractor.name for extractor in plugin.extractors],
            "generators": [f"{generator.modality} {generator.name}" for generator in plugin.generators],
            "error": plugin.error,
        }
        for plugin in found
    ]
    output.emit(rows, as_json, lambda: output.grid(COLUMNS, [_cells(plugin) for plugin in found]))
    if not rows:
        output.note("No plugin is installed. Install one with pip.")


def _cells(plugin: Plugin) -> list[str]:
    modalities = ", ".join(adapter.modality for adapter in plugin.adapters)
    return [plugin.name, plugin.distribution, plugin.version, modalities, plugin.error or "ok"]
