"""`sea plugins`: the installed plugins, what they offer, and why a broken one cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_core.plugin.loader import Plugin

COLUMNS = ("plugin", "distribution", "version", "modalities", "also offers", "state")


def plugins(as_json: output.Json = False) -> None:
    """List the installed plugins, what they offer, and why a broken one cannot be used."""
    from sea_core.plugin.loader import installed

    found = installed()
    listed = [
        {
            "plugin": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "modalities": [adapter.modality for adapter in plugin.adapters],
            **_other_offers(plugin),
            "error": plugin.error,
        }
        for plugin in found
    ]
    output.emit(listed, as_json, lambda: output.grid(COLUMNS, [_cells(plugin) for plugin in found]))
    if not found:
        output.note("No plugin is installed. Install one with pip.")


def _other_offers(plugin: Plugin) -> dict[str, list[str]]:
    """Return the names of what a plugin offers besides adapters, by kind."""
    return {kind: names for kind, names in plugin.labels().items() if kind != "adapters"}


def _cells(plugin: Plugin) -> list[str]:
    modalities = ", ".join(adapter.modality for adapter in plugin.adapters)
    others = "\n".join(f"{kind}: {', '.join(names)}" for kind, names in _other_offers(plugin).items() if names)
    return [plugin.name, plugin.distribution, plugin.version, modalities, others, plugin.error or "ok"]
