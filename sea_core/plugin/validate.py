"""Checks of what a plugin's hooks return: objects of the right class, complete, with distinct names.

What is expected of a hook is declared with `offered` at its field of `sea_core.plugin.loader.Plugin`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sea_core.errors import PluginError, nearest
from sea_core.plugin.generator import WRITTEN_BY_CORE, Generator

if TYPE_CHECKING:
    from pluggy import HookCaller

    from sea_core.optimization.recipes.base import Recipe


@dataclass(frozen=True)
class Expected:
    """What a hook must return.

    Attributes:
        noun: one returned object, in messages ("adapter").
        item_type: the class of the objects, or None if they only need the required attributes.
        container: what the objects are kept in: `tuple` for a list, `dict` for functions by name.
        required: attributes that must be set. "info.name" is the attribute `name` of the attribute `info`.
        unique: attributes, all non-empty strings, that together tell the objects of one plugin apart.
        problem: returns what else is wrong with an object, or "".
    """

    noun: str
    item_type: type | None
    container: type[tuple[Any, ...]] | type[dict[str, Any]]
    required: Sequence[str]
    unique: Sequence[str]
    problem: Callable[[Any], str]


def offered(
    noun: str,
    item_type: type | None,
    *,
    container: type[tuple[Any, ...]] | type[dict[str, Any]] = tuple,
    required: Sequence[str] = (),
    unique: Sequence[str] = ("name",),
    problem: Callable[[Any], str] = lambda item: "",
) -> Any:
    """Declare the field of `Plugin` that a hook fills, with what the hook must return (see `Expected`)."""
    expected = Expected(noun, item_type, container, required, unique, problem)
    return field(default_factory=container, metadata={"expected": expected})


def expectation(of: Field[Any]) -> Expected | None:
    """Return what the hook of a field of `Plugin` must return, or None if no hook fills it."""
    return of.metadata.get("expected")


def call_hook(hook: HookCaller, expected: Expected) -> tuple[Any, ...] | dict[str, Any]:
    """Call the hook of one plugin and return the checked objects; none if the plugin does not implement it.

    Raises:
        PluginError: the hook returns something else than expected.
    """
    if not hook.get_hookimpls():
        return () if expected.container is tuple else {}
    results = hook()  # pluggy drops None
    returned = results[0] if results else None
    if expected.container is dict:
        return _check_functions(hook.name, returned)
    return _check_objects(hook.name, returned, expected)


def label(item: Any, expected: Expected) -> str:
    """Return what tells an object from the others of its plugin, such as "audio espeak"."""
    return " ".join(str(attrgetter(name)(item)) for name in expected.unique)


def check_generator(generator: Generator) -> str:
    """Return what is wrong with a generator of a modality that SEA cannot write, or ""."""
    if generator.modality not in WRITTEN_BY_CORE and type(generator).write is Generator.write:
        return f"does not define write(), which {generator.modality} media need"
    return ""


def check_recipe(recipe: Recipe) -> str:
    """Return which method of a recipe nothing calls, because its name is misspelt, or ""."""
    from sea_core.optimization.recipes.base import Recipe

    overridable = [name for name in vars(Recipe) if callable(getattr(Recipe, name)) and not name.startswith("_")]
    for name, value in vars(type(recipe)).items():
        close = None if name.startswith("_") or hasattr(Recipe, name) else nearest(name, overridable)
        if close and callable(value):
            return f"defines {name}(), which nothing calls. Did you mean {close}()?"
    return ""


def _check_objects(hook: str, returned: object, expected: Expected) -> tuple[Any, ...]:
    kind = f"{expected.item_type.__name__} objects" if expected.item_type else f"{expected.noun}s"
    if not isinstance(returned, list | tuple):
        raise PluginError(f"{hook}() returned {_describe(returned)}; expected a list of {kind}")
    for item in returned:
        if isinstance(item, type) or not isinstance(item, expected.item_type or object):
            raise PluginError(f"{hook}() returned a list containing {_describe(item)}; expected {kind}")
        _check_object(item, expected)
    _check_unique(returned, expected)
    return tuple(returned)


def _check_object(item: object, expected: Expected) -> None:
    name = f"its {expected.noun} {type(item).__name__}"
    missing = [path for path in expected.required if _get(item, path) is None]
    missing += [path for path in expected.unique if not isinstance(_get(item, path), str) or not _get(item, path)]
    if missing:
        raise PluginError(f"{name} does not set {', '.join(dict.fromkeys(missing))}")
    if problem := expected.problem(item):
        raise PluginError(f"{name} {problem}")


def _get(item: object, path: str) -> object:
    try:
        return attrgetter(path)(item)
    except AttributeError:
        return None


def _check_unique(items: Sequence[object], expected: Expected) -> None:
    counts = Counter(label(item, expected) for item in items)
    repeated = next((name for name, count in counts.items() if count > 1), None)
    if repeated is not None:
        raise PluginError(
            f"it offers several {expected.noun}s with the same {' and '.join(expected.unique)}: {repeated!r}"
        )


def _check_functions(hook: str, returned: object) -> dict[str, Any]:
    if not isinstance(returned, Mapping):
        raise PluginError(f"{hook}() returned {_describe(returned)}; expected a dict of functions by name")
    for name, function in returned.items():
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise PluginError(f"{hook}() returned the name {name!r}; expected a public Python name")
        if not callable(function):
            raise PluginError(f"{hook}() returned {_describe(function)} as {name}; expected a function")
    return dict(returned)


def _describe(thing: object) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__} (to make an object of it, write {thing.__name__}())"
    return "None" if thing is None else f"an object of type {type(thing).__name__}"
