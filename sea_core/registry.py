"""Named things that a user picks by name: formats, recipes, judges. The built-in ones, and those of plugins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from sea_core.errors import PluginError, SeaError, nearest


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What the user types."""


Entry = TypeVar("Entry", bound=Named)
Object = TypeVar("Object")


@dataclass(frozen=True)
class Lazy(Generic[Object]):
    """An entry whose object is imported and made when it is used.

    Attributes:
        name: what the user types.
        load: returns the object.
    """

    name: str
    load: Callable[[], Object]


class Registry(Generic[Entry]):
    """Entries by name, in a fixed order.

    Args:
        noun: what an entry is, for messages ("format").
        entries: the built-in ones.
        more: returns the entries of plugins. It is called when a name is not built in, or when all are wanted.

    Raises:
        SeaError: two built-in entries have one name.
    """

    def __init__(self, noun: str, entries: Iterable[Entry], more: Callable[[], Iterable[Entry]] = tuple) -> None:
        self.noun, self._more = noun, more
        self._built_in = tuple(entries)
        self._require_distinct(self._built_in, SeaError)

    def extended(self, more: Callable[[], Iterable[Entry]]) -> Registry[Entry]:
        """Return a registry that also has the entries that `more` returns; see the class."""
        return Registry(self.noun, self._built_in, lambda: (*self._more(), *more()))

    def get(self, name: str, *, also: Collection[str] = ()) -> Entry:
        """Return the entry of that name.

        Args:
            also: other names that the caller accepts; they are only mentioned in the error.

        Raises:
            SeaError: there is none; the hint has the nearest name and all names.
            PluginError: a plugin's entry has the name of another one.
        """
        for entry in self._built_in:
            if entry.name == name:
                return entry
        for entry in self:
            if entry.name == name:
                return entry
        known = (*also, *self.names())
        close = nearest(name, known)
        guess = f"Did you mean {close!r}? " if close else ""
        raise SeaError(f"there is no {self.noun} {name!r}", hint=f"{guess}Known: {', '.join(known)}")

    def names(self) -> tuple[str, ...]:
        """Return all names, the built-in ones first. Raises PluginError as `get` does."""
        return tuple(entry.name for entry in self)

    def __iter__(self) -> Iterator[Entry]:
        """Iterate over all entries, the built-in ones first. Raises PluginError as `get` does."""
        return iter(self._all)

    def __contains__(self, name: str) -> bool:
        return any(entry.name == name for entry in self._built_in) or name in self.names()

    @cached_property
    def _all(self) -> tuple[Entry, ...]:
        entries = (*self._built_in, *self._more())
        self._require_distinct(entries, PluginError)
        return entries

    def _require_distinct(self, entries: tuple[Entry, ...], error: type[SeaError]) -> None:
        name, count = next(iter(Counter(entry.name for entry in entries).most_common(1)), ("", 0))
        if count > 1:
            owners = " and ".join(_origin(entry) for entry in entries if entry.name == name)
            raise error(
                f"{owners} are both called {name!r}", hint=f"Rename one of them: each {self.noun} has its own name."
            )


def _origin(entry: object) -> str:
    """Return where an entry was defined, to tell two of the same name apart."""
    source = entry.load if isinstance(entry, Lazy) else type(entry)
    return f"{source.__module__}.{getattr(source, '__qualname__', entry)}"
