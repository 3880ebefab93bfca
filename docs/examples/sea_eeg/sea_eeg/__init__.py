"""SEA plugin: EEG."""

from __future__ import annotations

from sea_core import Recipe, hookimpl
from sea_eeg.adapter import EegAdapter
from sea_eeg.recipes import RECIPES


@hookimpl
def sea_adapters() -> list[EegAdapter]:
    return [EegAdapter()]


@hookimpl
def sea_recipes() -> list[Recipe]:
    return RECIPES
