"""What a plugin hands over through its hooks, checked: the right objects, complete, and told apart by name.

Each function raises PluginError with what is wrong. What a plugin does not offer is not imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, TypeVar

from sea_core.errors import PluginError
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    import typer
    from pluggy import HookCaller

    from sea_core.extraction.extractor import Extractor
    from sea_core.plugin.blueprint import Blueprint
    from sea_core.plugin.generator import Generator

Item = TypeVar("Item")
Name = TypeVar("Name", bound=Hashable)


def adapters(hook: HookCaller) -> tuple[Adapter, ...]:
    """Return the adapters, one for each modality, each with all that it must set."""
    found = _listed(hook, Adapter)  # type: ignore[type-abstract]  # it only asks isinstance
    for one in found:
        missing = [name for name in Adapter.__annotations__ if getattr(one, name, None) is None]
        if missing:
            raise PluginError(f"its adapter {type(one).__name__} does not set {', '.join(missing)}")
    if twice := _twice(one.modality for one in found):
        raise PluginError(f"it has several adapters for the modality {twice!r}: --modality cannot tell them apart")
    return found


def blueprints(hook: HookCaller) -> tuple[Blueprint, ...]:
    """Return what `sea model build` can build."""
    if not hook.get_hookimpls():
        return ()
    from sea_core.plugin.blueprint import Blueprint

    return _listed(hook, Blueprint)


def extractors(hook: HookCaller) -> tuple[Extractor, ...]:
    """Return ways to find phrases, each with a name of its own."""
    if not hook.get_hookimpls():
        return ()
    from sea_core.extraction.extractor import Extractor

    found = _listed(hook, Extractor)  # type: ignore[type-abstract]  # it only asks isinstance
    for one in found:
        if not isinstance(getattr(one, "name", None), str) or not one.name:
            raise PluginError(f"its extractor {type(one).__name__} does not set name")
    if twice := _twice(one.name for one in found):
        raise PluginError(f"it has several extractors called {twice!r}: --extractor cannot tell them apart")
    return found


def generators(hook: HookCaller) -> tuple[Generator, ...]:
    """Return what can make media, each with what `sea bench build` must know of it."""
    if not hook.get_hookimpls():
        return ()
    from sea_core.plugin.generator import WRITTEN_BY_CORE, Generator

    found = _listed(hook, Generator)  # type: ignore[type-abstract]  # it only asks isinstance
    for one in found:
        missing = [name for name in ("name", "modality", "noun", "suffix") if getattr(one, name, None) is None]
        if missing:
            raise PluginError(f"its generator {type(one).__name__} does not set {', '.join(missing)}")
        if one.modality not in WRITTEN_BY_CORE and type(one).write is Generator.write:
            raise PluginError(f"its generator {one.name} has no `write`, which {one.modality} media need")
    if twice := _twice((one.modality, one.name) for one in found):
        raise PluginError(f"it has several {twice[0]} generators called {twice[1]!r}: give each its own name")
    return found


def commands(hook: HookCaller) -> tuple[typer.Typer, ...]:
    """Return groups of commands for `sea`, each with a name."""
    if not hook.get_hookimpls():
        return ()
    import typer

    found = _listed(hook, typer.Typer)
    if any(not isinstance(group.info.name, str) for group in found):
        raise PluginError("a group of commands has no name: write typer.Typer(name=...)")
    return found


def _listed(hook: HookCaller, kind: type[Item]) -> tuple[Item, ...]:
    """Call one plugin's hook and check that a list of `kind` objects came back."""
    if not hook.get_hookimpls():
        return ()
    results = hook()  # pluggy leaves None out
    items = results[0] if results else None
    wanted = f"where a list of {kind.__name__} objects was expected"
    if not isinstance(items, list | tuple):
        raise PluginError(f"{hook.name}() returned {_a(items)}, {wanted}")
    for item in items:
        if not isinstance(item, kind):
            raise PluginError(f"{hook.name}() returned a list with {_a(item)} in it, {wanted}")
    return tuple(items)


def _twice(names: Iterable[Name]) -> Name | None:
    """Return a name that is there more than once, if one is."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _a(thing: object) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__} (for an object, write {thing.__name__}())"
    return "None" if thing is None else f"an object of type {type(thing).__name__}"
