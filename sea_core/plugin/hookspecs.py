"""The whole plugin contract. Hooks only hand objects over; what the objects do is their own business.

A plugin is a module (or one local file) that implements these hooks and is named by an entry point of group `sea`:

    from sea_core import hookimpl

    @hookimpl
    def sea_adapters():
        return [MyAdapter()]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from sea_core.extraction.extractor import Extractor
    from sea_core.model.adapter import Adapter
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator

PROJECT = "sea"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def sea_adapters() -> list[Adapter]:
    """Return one adapter for each modality this plugin serves. `sea optimize --plugin NAME` picks among them."""
    raise NotImplementedError


@hookspec
def sea_blueprints() -> list[Blueprint]:
    """Return what `sea toy build BLUEPRINT --plugin NAME` can build. Optional."""
    raise NotImplementedError


@hookspec
def sea_extractors() -> list[Extractor]:
    """Return ways to find the phrases. `--extractor PLUGIN` takes the one; of several, `--extractor PLUGIN:NAME`."""
    raise NotImplementedError


@hookspec
def sea_generators() -> list[Generator]:
    """Return what `sea bench build MODALITY --plugin NAME` can make media with. Optional."""
    raise NotImplementedError


@hookspec
def sea_commands() -> list[typer.Typer]:
    """Return groups of commands for `sea`, each a `typer.Typer` with a name. Optional."""
    raise NotImplementedError
