"""Find, load, check and explain plugins. The core imports pluggy nowhere else, and torch not from here.

Only the plugin that was asked for is loaded. A plugin that cannot be loaded is a `Plugin` whose `error` says why.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pluggy

from sea_core import __version__
from sea_core.errors import PluginError, SeaError
from sea_core.model.adapter import Adapter
from sea_core.plugin import hookspecs
from sea_core.plugin.isolation import GROUP, LOCAL, catch_any, describe, one_line
from sea_core.plugin.validate import adapters, blueprints, commands, extractors, generators

if TYPE_CHECKING:
    import typer

    from sea_core.extraction.extractor import Extractor
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator

Offers: TypeAlias = """tuple[
    tuple[Adapter, ...], tuple[Blueprint, ...], tuple[Extractor, ...], tuple[Generator, ...], tuple[typer.Typer, ...]
]"""


@dataclass(frozen=True)
class Plugin:
    """One plugin and what it offers.

    Attributes:
        name: what `--plugin` takes.
        distribution: what pip calls it; for a local file, its path.
        version: the distribution's; for a local file, a digest of its text.
        adapters: one for each modality.
        blueprints: what `sea model build` can build.
        extractors: what `--extractor` can name.
        generators: what `sea bench build` can make media with.
        commands: groups of commands for `sea`.
        error: why it cannot be used, or None.
    """

    name: str
    distribution: str
    version: str
    adapters: tuple[Adapter, ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    extractors: tuple[Extractor, ...] = ()
    generators: tuple[Generator, ...] = ()
    commands: tuple[typer.Typer, ...] = ()
    error: str | None = None


def installed() -> list[Plugin]:
    """Load every installed plugin, by name. A broken one carries its reason in `error`; nothing is raised."""
    points = entry_points(group=GROUP)
    return [_from_entry_point(point, points) for point in sorted(points, key=lambda point: point.name)]


def get(name_or_path: str) -> Plugin:
    """Load one plugin: an installed one by its name, or a local `.py` file by its path.

    Raises:
        PluginError: there is no such plugin, or it is broken.
    """
    is_path = name_or_path.endswith(".py") or "/" in name_or_path or "\\" in name_or_path
    plugin = _from_file(Path(name_or_path)) if is_path else _from_name(name_or_path)
    if plugin.error is None:
        return plugin
    origin = f"It comes from {plugin.distribution} {plugin.version}: upgrade that with pip, or tell its author."
    raise PluginError(
        f"plugin {plugin.name} cannot be used: {plugin.error}",
        hint="Mend the file, then type the same again." if is_path else f"{origin} `sea plugins` lists all.",
    )


def adapter(name_or_path: str, modality: str | None = None) -> tuple[Plugin, Adapter]:
    """Load one plugin and pick its adapter for `modality`, which may be left out where there is only one.

    Raises:
        PluginError: the plugin cannot be used, does not serve `modality`, or serves several and none was named.
    """
    plugin = get(name_or_path)
    served = [adapter.modality for adapter in plugin.adapters]
    fitting = [adapter for adapter in plugin.adapters if modality in (None, adapter.modality)]
    if len(fitting) == 1:
        return plugin, fitting[0]
    if not served:
        raise PluginError(f"plugin {plugin.name} has no adapter", hint="`sea modalities` lists the plugins that have.")
    what = f"has no modality {modality!r}" if modality else "serves several modalities"
    choices = ", ".join(f"--modality {word}" for word in served)
    raise PluginError(f"plugin {plugin.name} {what}: {', '.join(served)}", hint=f"Type one of: {choices}")


def extractor(name: str) -> Extractor:
    """Return one of SEA's own extractors, or one that a plugin brings: `PLUGIN`, `./file.py`, or `PLUGIN:NAME`.

    Raises:
        SeaError: there is none of that name, or the plugin has none or several.
    """
    from sea_core.extraction.registry import EXTRACTORS, get_extractor

    owner, _, wanted = name.partition(":")
    is_plugin = owner.endswith(".py") or owner in entry_points(group=GROUP).names
    if name in EXTRACTORS or not is_plugin:
        return get_extractor(name)
    plugin = get(owner)
    fitting = [one for one in plugin.extractors if wanted in ("", one.name)]
    if len(fitting) == 1:
        return fitting[0]
    has = ", ".join(f"{owner}:{one.name}" for one in plugin.extractors)
    what = "no extractor" if not has else f"no extractor {wanted!r}" if wanted else "several extractors"
    raise PluginError(f"plugin {owner} has {what}", hint=f"Type one of: {has or ', '.join(EXTRACTORS)}")


def _from_name(name: str) -> Plugin:
    points = entry_points(group=GROUP)
    for point in points:
        if point.name == name:
            return _from_entry_point(point, points)
    close = get_close_matches(name, points.names, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    names = ", ".join(sorted(points.names)) or "none"
    raise PluginError(
        f"no plugin is called {name!r}.{guess}",
        hint=f"Installed: {names}. Others come with `pip install DISTRIBUTION`, or from a file: --plugin ./mine.py",
    )


def _from_entry_point(point: EntryPoint, points: EntryPoints) -> Plugin:
    dist = point.dist
    assert dist is not None  # entry_points() sets it

    def load() -> object:
        _refuse_shared_name(point.name, points)
        _refuse_other_core(dist)
        return point.load()

    return _guarded(Plugin(point.name, dist.name, dist.version), load)


def _from_file(path: Path) -> Plugin:
    if not path.is_file() or path.suffix != ".py":
        raise PluginError(
            f"{path} is not a Python file", hint="--plugin takes an installed plugin's name, or the path of a .py file."
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    def load() -> object:
        # The digest keeps two files of one name apart, and an edited file from its former self.
        name = f"{LOCAL}{path.stem}_{digest}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # it ends in .py
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up while it is still loading
        spec.loader.exec_module(module)
        return module

    return _guarded(Plugin(path.stem, str(path), f"sha256:{digest}"), load)


def _guarded(found: Plugin, load: Callable[[], object]) -> Plugin:
    """Load and check a plugin's code. Whatever it does wrong becomes `error`, and its prints go to stderr."""
    offers: list[Offers] = []
    with redirect_stdout(sys.stderr):
        fault = catch_any(lambda: offers.append(_offers(load(), found.name)))
    if fault is None:
        return Plugin(found.name, found.distribution, found.version, *offers[0])
    if isinstance(fault, SeaError):
        error = one_line(fault)
    elif isinstance(fault, pluggy.PluginValidationError):
        error = f"a hook does not fit the contract in sea_core/hookspecs.py: {one_line(fault)}"
    else:
        error = describe(fault)
    return Plugin(found.name, found.distribution, found.version, error=error)


def _offers(module: object, name: str) -> Offers:
    manager = pluggy.PluginManager(hookspecs.PROJECT)  # its own, so that one plugin cannot disturb another
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise PluginError("it has no hook: put @hookimpl (from sea_core import hookimpl) above sea_adapters")
    hook = manager.hook
    return (
        adapters(hook.sea_adapters),
        blueprints(hook.sea_blueprints),
        extractors(hook.sea_extractors),
        generators(hook.sea_generators),
        commands(hook.sea_commands),
    )


def _refuse_shared_name(name: str, points: EntryPoints) -> None:
    owners = sorted(point.dist.name for point in points if point.name == name and point.dist)
    if len(owners) > 1:
        raise PluginError(f"{' and '.join(owners)} both call a plugin {name}: pip uninstall one of them")


def _refuse_other_core(dist: Distribution) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for line in dist.requires or ():
        need = Requirement(line)
        if canonicalize_name(need.name) != "sea-core" or (need.marker and not need.marker.evaluate()):
            continue
        if not need.specifier.contains(__version__, prereleases=True):
            raise PluginError(f"it needs sea-core {need.specifier}, but this is sea-core {__version__}")
