"""Registries: entries by name, those of plugins only when they are needed, and errors for unknown and shared names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from sea_core.data.formats.registry import FORMATS
from sea_core.errors import PluginError, SeaError
from sea_core.extraction.registry import EXTRACTORS
from sea_core.llm.backends import BACKENDS
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.registry import Lazy, Registry


@dataclass(frozen=True)
class Lamp:
    name: str


@dataclass(frozen=True)
class PluginLamp(Lamp):
    pass


BUILT_IN = (Lamp("table"), Lamp("floor"))


def plugins(*names: str) -> Callable[[], Iterable[Lamp]]:
    return lambda: (PluginLamp(name) for name in names)


def never() -> Iterable[Lamp]:
    raise AssertionError("plugins were loaded, although the name is built in")


def test_entries_are_found_by_name_and_keep_their_order() -> None:
    lamps = Registry("lamp", BUILT_IN)
    assert lamps.get("floor") is BUILT_IN[1]
    assert lamps.names() == ("table", "floor")
    assert tuple(lamps) == BUILT_IN
    assert "table" in lamps
    assert "ceiling" not in lamps


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tabel", "Did you mean 'table'? Known: any, table, floor"),
        ("zzz", "Known: any, table, floor"),
        ("fl", "Did you mean 'floor'? Known: any, table, floor"),
        ("ani", "Did you mean 'any'? Known: any, table, floor"),
    ],
)
def test_unknown_name_gets_the_nearest_one_and_all(name: str, hint: str) -> None:
    with pytest.raises(SeaError, match=f"there is no lamp '{name}'") as caught:
        Registry("lamp", BUILT_IN).get(name, also=("any",))
    assert caught.value.hint == hint


def test_plugins_are_loaded_only_for_other_names() -> None:
    lamps = Registry("lamp", BUILT_IN).extended(never)
    assert lamps.get("table") is BUILT_IN[0]
    assert "table" in lamps
    for use in (lamps.names, lambda: lamps.get("ceiling"), lambda: "ceiling" in lamps, lambda: list(lamps)):
        with pytest.raises(AssertionError):
            use()


def test_plugins_come_after_the_built_in_entries() -> None:
    lamps = Registry("lamp", BUILT_IN).extended(plugins("ceiling")).extended(plugins("desk"))
    assert lamps.get("ceiling") == PluginLamp("ceiling")
    assert lamps.names() == ("table", "floor", "ceiling", "desk")
    with pytest.raises(SeaError, match="no lamp 'des'") as caught:
        lamps.get("des")
    assert "'desk'" in caught.value.hint


def test_plugin_with_a_name_that_is_taken_is_an_error_that_names_both() -> None:
    lamps = Registry("lamp", BUILT_IN).extended(plugins("table"))
    assert lamps.get("table") is BUILT_IN[0]
    with pytest.raises(PluginError, match=r"Lamp and .*PluginLamp are both called 'table'"):
        lamps.names()


def test_built_in_entries_have_names_of_their_own() -> None:
    with pytest.raises(SeaError, match="both called 'table'"):
        Registry("lamp", [Lamp("table"), PluginLamp("table")])


def test_lazy_entry_is_made_when_it_is_used() -> None:
    lamps = Registry("lamp", [Lazy("table", lambda: Lamp("table")), Lazy("floor", lambda: Lamp("floor"))])
    assert lamps.get("floor").load() == Lamp("floor")


def test_empty_registry() -> None:
    assert Registry[Lamp]("lamp", ()).names() == ()


@pytest.mark.parametrize(
    ("registry", "expected"),
    [(FORMATS, "plain"), (EXTRACTORS, "rules"), (BACKENDS, "openai"), (RECIPES, "plain")],
)
def test_registries_of_the_core(registry: Registry[Lamp], expected: str) -> None:
    assert registry.names()[0] == expected
    assert registry.get(expected).name == expected
    with pytest.raises(SeaError, match=f"there is no {registry.noun} 'nonesuch'"):
        registry.get("nonesuch")
