"""SEA plugin for LLaVA."""

from __future__ import annotations

from sea_core import Recipe, hookimpl
from sea_llava.adapter import LlavaAdapter
from sea_llava.recipes import RECIPES


@hookimpl
def sea_adapters() -> list[LlavaAdapter]:
    return [LlavaAdapter()]


@hookimpl
def sea_recipes() -> list[Recipe]:
    return RECIPES
