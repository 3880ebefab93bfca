"""The hooks that a plugin can implement. A hook only returns objects; what they do is defined in their classes.

A plugin is a module (or one local file) that implements at least one hook, with an entry point in the group `sea`:

    from sea_core import hookimpl

    @hookimpl
    def sea_adapters():
        return [MyAdapter()]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer

    from sea_core.data.formats.base import Format
    from sea_core.extraction.extractor import Extractor
    from sea_core.judges.base import JudgeFactory
    from sea_core.model.adapter import Adapter
    from sea_core.optimization.recipes.base import Recipe
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator
    from sea_core.report.reporter import Reporter

PROJECT = "sea"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def sea_adapters() -> list[Adapter]:
    """Return one adapter per modality. `--plugin NAME --modality MODALITY` selects one."""
    raise NotImplementedError


@hookspec
def sea_formats() -> list[Format]:
    """Return formats of text safety sets. `--format NAME` selects one."""
    raise NotImplementedError


@hookspec
def sea_extractors() -> list[Extractor]:
    """Return extractors. `--extractor NAME`, `--extractor PLUGIN` or `--extractor PLUGIN:NAME` selects one."""
    raise NotImplementedError


@hookspec
def sea_recipes() -> list[Recipe]:
    """Return recipes. `--recipe NAME` selects one; `--recipe pool` does not include them."""
    raise NotImplementedError


@hookspec
def sea_judges() -> list[JudgeFactory]:
    """Return judges. `--judge NAME` selects one; `sea verify` takes those that measure content."""
    raise NotImplementedError


@hookspec
def sea_defences() -> list[Any]:
    """Return defences of sea-bench. `sea bench run --defence NAME` and `sea bench compare` use them."""
    raise NotImplementedError


@hookspec
def sea_study_arms() -> list[Any]:
    """Return arms of sea-bench's studies. A study file names them."""
    raise NotImplementedError


@hookspec
def sea_generators() -> list[Generator]:
    """Return generators of benchmark media. `sea bench build MODALITY --plugin PLUGIN` uses them."""
    raise NotImplementedError


@hookspec
def sea_blueprints() -> list[Blueprint]:
    """Return small models that `sea toy build BLUEPRINT --plugin PLUGIN` can build."""
    raise NotImplementedError


@hookspec
def sea_commands() -> list[typer.Typer]:
    """Return command groups, each a `typer.Typer(name=...)`. `sea NAME` runs one."""
    raise NotImplementedError


@hookspec
def sea_shared_commands() -> list[Any]:
    """Return commands whose rows several processes may do. `sea worker RUN` works for them."""
    raise NotImplementedError


@hookspec
def sea_reporters() -> list[Reporter]:
    """Return reporters. `sea report RUN` shows the run folders of their kind with them."""
    raise NotImplementedError


@hookspec
def sea_functions() -> dict[str, Callable[..., Any]]:
    """Return functions by name. They become attributes of `sea_core`: `sea_core.NAME(...)`."""
    raise NotImplementedError
