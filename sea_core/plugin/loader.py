"""Find, load and check plugins. The only module that uses pluggy's plugin manager; it imports neither torch nor typer.

`get_plugin` loads only the plugin that was asked for. A plugin that fails to load is a `Plugin` whose `error` says why.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from importlib.machinery import SourceFileLoader
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points, version
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import pluggy

from sea_core.errors import PluginError, SeaError, nearest, one_line
from sea_core.extraction.extractor import Extractor
from sea_core.judges.base import JudgeFactory, Measure
from sea_core.model.adapter import Adapter
from sea_core.optimization.recipes.base import Recipe
from sea_core.plugin import hookspecs
from sea_core.plugin.blueprint import Blueprint
from sea_core.plugin.generator import Generator
from sea_core.plugin.isolation import ENTRY_POINT_GROUP, LOCAL_PREFIX, catch_any, describe
from sea_core.plugin.validate import call_hook, check_generator, check_recipe, expectation, label, offered
from sea_core.registry import Lazy, Registry
from sea_core.report.reporter import Reporter

if TYPE_CHECKING:
    import typer

    from sea_core.data.formats.base import Format

FILE_VERSION = "sha256:"
"""How the version of a local file begins; its digest follows."""

log = logging.getLogger(__name__)
_is_loading: ContextVar[bool] = ContextVar("is_loading", default=False)
"""True while a plugin's code runs: an attribute of `sea_core` that it looks up must not load all plugins again."""


@dataclass(frozen=True)
class Plugin:
    """One plugin and what it offers.

    Every field with `offered` has a hook: `sea_adapters` fills `adapters`. To add a hook, add a field here and describe
    the hook in hookspecs.py.

    Attributes:
        name: what `--plugin` takes.
        distribution: the name of its distribution; for a local file, its path.
        version: the distribution's; for a local file, a digest of its text.
        error: why it cannot be used, or None.
    """

    name: str
    distribution: str
    version: str
    error: str | None = None
    adapters: tuple[Adapter, ...] = offered(
        "adapter", Adapter, required=tuple(Adapter.__annotations__), unique=("modality",)
    )
    formats: tuple[Format, ...] = offered("format", None, required=("name", "columns", "matches", "read"))
    extractors: tuple[Extractor, ...] = offered("extractor", Extractor)
    recipes: tuple[Recipe, ...] = offered("recipe", Recipe, problem=check_recipe)
    judges: tuple[JudgeFactory, ...] = offered("judge", JudgeFactory, unique=("measures", "name"))
    defences: tuple[Any, ...] = offered("defence", None, required=("identity", "protect"))
    study_arms: tuple[Any, ...] = offered("arm of a study", None, required=("role", "is_aligned"))
    generators: tuple[Generator, ...] = offered(
        "generator", Generator, required=("noun", "suffix"), unique=("modality", "name"), problem=check_generator
    )
    blueprints: tuple[Blueprint, ...] = offered("blueprint", Blueprint, unique=("plugin", "name"))
    commands: tuple[typer.Typer, ...] = offered(
        "command group", None, required=("registered_commands", "registered_groups"), unique=("info.name",)
    )
    shared_commands: tuple[Any, ...] = offered("shared command", None, required=("manifest", "blocks", "open"))
    reporters: tuple[Reporter, ...] = offered("reporter", Reporter, unique=("manifest",))
    functions: Mapping[str, Callable[..., Any]] = offered("function", None, container=dict)

    def labels(self) -> dict[str, list[str]]:
        """Return the names of what it offers: {"adapters": ["audio"], "judges": [], ...}."""
        found = {}
        for field in fields(self):
            if expected := expectation(field):
                value = getattr(self, field.name)
                found[field.name] = list(value) if isinstance(value, dict) else [label(x, expected) for x in value]
        return found


def installed(kind: str = "") -> list[Plugin]:
    """Load every installed plugin, sorted by name. A broken plugin has its reason in `error`; nothing is raised.

    Args:
        kind: the only field of `Plugin` to fill, such as "judges"; by default all, which calls every hook.
    """
    points = entry_points(group=ENTRY_POINT_GROUP)
    return [_from_entry_point(point, points, kind) for point in sorted(points, key=lambda point: point.name)]


def get_plugin(name_or_path: str, *, with_adapter: bool = False, is_stored: bool = False) -> Plugin:
    """Load one plugin: an installed plugin by its name, or a local `.py` file by its path.

    Args:
        is_stored: the name was read from a file, and not typed by the user: it is never taken as a path.
        with_adapter: an adapter is wanted; the hint for an unknown name then lists only plugins that have one.

    Raises:
        PluginError: there is no such plugin, or it is broken.
    """
    is_path = not is_stored and _is_path(name_or_path)
    plugin = _from_file(name_or_path) if is_path else _from_name(name_or_path, with_adapter)
    if plugin.error is None:
        return plugin
    upgrade = f"Upgrade {plugin.distribution} {plugin.version} with pip, or report this to its author."
    raise PluginError(
        f"plugin {plugin.name} cannot be used: {plugin.error}",
        hint="Fix the file, then re-run the command." if is_path else f"{upgrade} `sea plugins` lists all plugins.",
    )


def require_name(name_or_path: str) -> None:
    """Raise PluginError for a name that no installed plugin has. Nothing is loaded, and a path is not looked at."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    if name_or_path not in points.names and not _is_path(name_or_path):
        raise _unknown(name_or_path, points, with_adapter=True)


def require_new_name(name: str) -> None:
    """Raise PluginError for the name of a plugin that is installed: with two of a name, neither can be used."""
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name.replace("-", "_"):
            owner = point.dist.name if point.dist else "another distribution"
            hint = f"Give another name: {point.name}_2. To replace it: pip uninstall {owner}"
            raise PluginError(f"a plugin {point.name} is installed already, by {owner}", hint=hint)


def get_adapter(name_or_path: str, modality: str | None = None, *, is_stored: bool = False) -> tuple[Plugin, Adapter]:
    """Load one plugin and select its adapter for `modality`, which is optional if there is only one.

    Args:
        is_stored: as `get_plugin` takes it.

    Raises:
        PluginError: the plugin cannot be used, does not support `modality`, or supports several and none was given.
    """
    plugin = get_plugin(name_or_path, with_adapter=True, is_stored=is_stored)
    supported = [adapter.modality for adapter in plugin.adapters]
    matching = [adapter for adapter in plugin.adapters if modality in (None, adapter.modality)]
    if len(matching) == 1:
        return plugin, matching[0]
    if not supported:
        names = ", ".join(_names_with_adapter()) or "none"
        raise PluginError(f"plugin {plugin.name} has no adapter", hint=f"Plugins with adapters: {names}.")
    problem = f"does not support the modality {modality!r}" if modality else "supports several modalities"
    raise PluginError(
        f"plugin {plugin.name} {problem}; it supports: {', '.join(supported)}",
        hint=f"Type one of: {', '.join(f'--modality {name}' for name in supported)}",
    )


def bundled_adapters() -> list[tuple[Plugin, Adapter]]:
    """Return the installed adapters whose model is part of their plugin, those that are simplest to use first.

    These are the ones that need not be derived from a model, and of plugins with one modality.
    """
    offers = [(plugin, adapter) for plugin in _usable_plugins("adapters") for adapter in plugin.adapters]
    bundled = [(plugin, adapter) for plugin, adapter in offers if Path(adapter.checkpoint).is_dir()]
    return sorted(bundled, key=lambda offer: (offer[1].is_derived, len(offer[0].adapters)))


def get_extractor(name: str) -> Extractor:
    """Return a built-in extractor, or a plugin's: `PLUGIN`, `./file.py`, or `PLUGIN:NAME`.

    Raises:
        SeaError: there is no extractor of that name, or the plugin has none or several.
    """
    from sea_core.extraction.registry import EXTRACTORS

    owner, _, wanted = name.partition(":")
    is_plugin = owner.endswith(".py") or owner in entry_points(group=ENTRY_POINT_GROUP).names
    if name in EXTRACTORS.names() or not is_plugin:
        return extractors().get(name).load()
    plugin = get_plugin(owner)
    matching = [extractor for extractor in plugin.extractors if wanted in ("", extractor.name)]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(f"{owner}:{extractor.name}" for extractor in plugin.extractors)
    problem = "no extractor" if not names else f"no extractor {wanted!r}" if wanted else "several extractors"
    raise PluginError(f"plugin {owner} has {problem}", hint=f"Type one of: {names or ', '.join(EXTRACTORS.names())}")


def formats() -> Registry[Format]:
    """Return the formats, built-in and of plugins. Plugins are loaded for a name that is not built in."""
    from sea_core.data.formats.registry import FORMATS

    return FORMATS.extended(lambda: offers("formats", FORMATS))


def recipes() -> Registry[Recipe]:
    """Return the recipes, built-in and of plugins. Plugins are loaded for a name that is not built in."""
    from sea_core.optimization.recipes.registry import RECIPES

    return RECIPES.extended(lambda: offers("recipes", RECIPES))


def judges(measures: Collection[Measure]) -> Registry[JudgeFactory]:
    """Return the judges, built-in and of plugins, that decide one of the measures.

    Plugins are loaded for a name that is not built in.

    Args:
        measures: `judges.registry.CONTENT` or `SAFETY`. Each has its own judge `openai`.
    """
    from sea_core.judges.registry import JUDGES

    def matching(factories: Iterable[JudgeFactory]) -> list[JudgeFactory]:
        return [factory for factory in factories if factory.measures in measures]

    return Registry("judge", matching(JUDGES), lambda: matching(offers("judges", JUDGES)))


def offers(kind: str, built_in: Iterable[Any] = ()) -> tuple[Any, ...]:
    """Return what installed plugins offer of a kind, without the built-in objects.

    Args:
        kind: the field of `Plugin`, such as "generators".
        built_in: what has names that no plugin may offer again.

    Raises:
        PluginError: an object has the name of a built-in one, or of another plugin's.
    """
    expected = next(expectation(field) for field in fields(Plugin) if field.name == kind)
    assert expected is not None  # every kind has a hook
    owners = {label(item, expected): "sea-core" for item in built_in}
    items = []
    for plugin in _usable_plugins(kind):
        for item in getattr(plugin, kind):
            name = label(item, expected)
            if name in owners:
                raise PluginError(
                    f"{owners[name]} and {plugin.distribution} both have a {expected.noun} {name!r}",
                    hint=f"Uninstall a plugin with pip, or ask its author to rename the {expected.noun}.",
                )
            owners[name] = plugin.distribution
            items.append(item)
    return tuple(items)


def extractors() -> Registry[Lazy[Extractor]]:
    """Return the extractors, built-in and of plugins. Plugins are loaded for a name that is not built in.

    A plugin's extractor is called `PLUGIN:NAME` if another one has its name.
    """
    from sea_core.extraction.registry import EXTRACTORS

    def of_plugins() -> Iterator[Lazy[Extractor]]:
        offers = [(plugin.name, item) for plugin in _usable_plugins("extractors") for item in plugin.extractors]
        counts = Counter([*EXTRACTORS.names(), *(item.name for _, item in offers)])
        for owner, item in offers:
            name = item.name if counts[item.name] == 1 else f"{owner}:{item.name}"
            yield _lazy(name, item)

    return EXTRACTORS.extended(of_plugins)


def get_function(name: str) -> Callable[..., Any]:
    """Return a function that an installed plugin adds to `sea_core`.

    Raises:
        AttributeError: no plugin offers it, or several do.
    """
    plugins = [] if _is_loading.get() else _usable_plugins("functions")
    offers = [(plugin, known) for plugin in plugins for known in plugin.functions]
    owners = [plugin for plugin, known in offers if known == name]
    if len(owners) == 1:
        return owners[0].functions[name]
    problem = f"module 'sea_core' has no attribute {name!r}"
    if owners:
        problem += f": {' and '.join(plugin.distribution for plugin in owners)} both offer it; uninstall one of them"
    else:
        names = ", ".join(sorted({known for _, known in offers})) or "none"
        problem += f". Functions of the installed plugins: {names}. `sea plugins` lists the plugins"
    raise AttributeError(problem)


def _usable_plugins(kind: str) -> list[Plugin]:
    """Return the installed plugins with one field filled. A broken plugin is left out, with a warning."""
    plugins = installed(kind)
    for plugin in plugins:
        if plugin.error:
            log.warning("plugin %s is not used: %s", plugin.name, plugin.error)
    return [plugin for plugin in plugins if not plugin.error]


def _lazy(name: str, extractor: Extractor) -> Lazy[Extractor]:
    return Lazy(name, lambda: extractor)


def _names_with_adapter() -> list[str]:
    """Return the plugins that have an adapter. What the others print or log while they are loaded is dropped."""
    with redirect_stderr(io.StringIO()):
        return [plugin.name for plugin in installed("adapters") if plugin.adapters]


def _is_path(name_or_path: str) -> bool:
    return name_or_path.endswith(".py") or "/" in name_or_path or "\\" in name_or_path


def _from_name(name: str, with_adapter: bool) -> Plugin:
    points = entry_points(group=ENTRY_POINT_GROUP)
    for point in points:
        if point.name == name:
            return _from_entry_point(point, points)
    raise _unknown(name, points, with_adapter)


def _unknown(name: str, points: EntryPoints, with_adapter: bool) -> PluginError:
    close = nearest(name, points.names)
    guess = f" Did you mean {close!r}?" if close else ""
    names = ", ".join(_names_with_adapter() if with_adapter else sorted(points.names)) or "none"
    kind = "Plugins with adapters" if with_adapter else "Installed"
    return PluginError(
        f"there is no plugin {name!r}.{guess}",
        hint=f"{kind}: {names}. Install others with `pip install DISTRIBUTION`, or `pip install -e FOLDER` for a "
        "checkout; or use a file: --plugin ./mine.py",
    )


def _from_entry_point(point: EntryPoint, points: EntryPoints, kind: str = "") -> Plugin:
    dist = point.dist
    assert dist is not None  # entry_points() sets it

    def load() -> object:
        _require_unique_name(point.name, points)
        _require_this_core(dist)
        return point.load()

    return _load_checked(Plugin(point.name, dist.name, dist.version), load, kind)


def _from_file(typed: str) -> Plugin:
    path = Path(typed)
    if not path.is_file() or path.suffix != ".py":
        raise PluginError(
            f"{typed} is not a Python file" if path.exists() else f"there is no file {typed}",
            hint="--plugin takes the name of an installed plugin, or a path to a .py file.",
        )
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()[:12]

    def load() -> object:
        # The digest keeps apart two files of the same name, and two versions of one file.
        loader = _LocalFileLoader(f"{LOCAL_PREFIX}{path.stem}_{digest}", str(path), source)
        spec = spec_from_loader(loader.name, loader)
        assert spec is not None  # the loader knows its file
        module = module_from_spec(spec)
        sys.modules[loader.name] = module  # dataclasses look up their module while it is being imported
        loader.exec_module(module)
        return module

    return _load_checked(Plugin(path.stem, str(path), f"{FILE_VERSION}{digest}"), load)


class _LocalFileLoader(SourceFileLoader):
    """Runs the bytes that were digested, not Python's bytecode cache, which may miss an edit within a second."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._source, self.path)


def _load_checked(plugin: Plugin, load: Callable[[], object], kind: str = "") -> Plugin:
    """Load and check a plugin's code. Whatever goes wrong becomes `error`; what the code prints goes to stderr."""
    offers: dict[str, Any] = {}
    token = _is_loading.set(True)
    try:
        with redirect_stdout(sys.stderr):
            error = catch_any(lambda: offers.update(_call_hooks(load(), plugin.name, kind)))
    finally:
        _is_loading.reset(token)
    return replace(plugin, **offers) if error is None else replace(plugin, error=_reason(error))


def _reason(error: BaseException) -> str:
    """Return in one line why a plugin cannot be used."""
    if isinstance(error, SeaError):
        return one_line(error)
    if isinstance(error, pluggy.PluginValidationError):
        message = one_line(error)
        unknown = re.search(r"unknown hook '(\w+)'", message)
        hooks = [f"sea_{field.name}" for field in fields(Plugin) if expectation(field)]
        close = nearest(unknown[1], hooks) if unknown else None
        guess = f". Did you mean {close!r}?" if close else ""
        return f"a hook does not match its declaration in sea_core/plugin/hookspecs.py: {message}{guess}"
    return describe(error)


def _call_hooks(module: object, name: str, kind: str) -> dict[str, Any]:
    """Return what a plugin offers, by field of `Plugin`; only the field `kind` if it is given."""
    manager = pluggy.PluginManager(
        hookspecs.PROJECT
    )  # one manager per plugin, so that plugins cannot affect each other
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise PluginError("it has no hook: put @hookimpl (from sea_core import hookimpl) above sea_adapters")
    offers = {}
    for field in fields(Plugin):
        expected = expectation(field)
        if expected and kind in ("", field.name):
            offers[field.name] = call_hook(getattr(manager.hook, f"sea_{field.name}"), expected)
    return offers


def _require_unique_name(name: str, points: EntryPoints) -> None:
    owners = sorted(point.dist.name for point in points if point.name == name and point.dist)
    if len(owners) > 1:
        raise PluginError(f"{' and '.join(owners)} both offer a plugin {name}: uninstall one of them with pip")


def _require_this_core(dist: Distribution) -> None:
    """Raise PluginError if the distribution requires another version of sea-core."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for line in dist.requires or ():
        requirement = Requirement(line)
        is_core = canonicalize_name(requirement.name) == "sea-core"
        if not is_core or (requirement.marker and not requirement.marker.evaluate()):
            continue
        core = version("sea-core")
        if not requirement.specifier.contains(core, prereleases=True):
            raise PluginError(f"it needs sea-core {requirement.specifier}, but this is sea-core {core}")
