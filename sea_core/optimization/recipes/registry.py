"""The built-in recipes by name."""

from __future__ import annotations

from collections.abc import Iterable

from sea_core.errors import SeaError
from sea_core.optimization.recipes.base import Recipe
from sea_core.optimization.recipes.benign import BenignStartRecipe, SubspaceRecipe
from sea_core.optimization.recipes.goals import GoalsRecipe
from sea_core.optimization.recipes.hidden import HiddenRecipe
from sea_core.optimization.recipes.input import InputRecipe
from sea_core.optimization.recipes.jitter import DropoutRecipe, NoiseRecipe
from sea_core.optimization.recipes.plain import PlainRecipe
from sea_core.registry import Registry

RECIPES: Registry[Recipe] = Registry(
    "recipe",
    (
        PlainRecipe(),
        GoalsRecipe(),
        NoiseRecipe(),
        DropoutRecipe(),
        HiddenRecipe(),
        InputRecipe(),
        SubspaceRecipe(),
        BenignStartRecipe(),
    ),
)
POOL = "pool"
"""All recipes; those that need benign media only if these are given."""


def parse_recipes(text: str, media: bool, known: Iterable[Recipe] = RECIPES) -> tuple[Recipe, ...]:
    """Return the recipes of `plain,noise` or `pool`, in the order of the registry.

    Args:
        media: whether benign media are given.
        known: the recipes, with their settings.

    Raises:
        SeaError: there is no such recipe, or one needs benign media and there are none.
    """
    recipes = Registry("recipe", known)
    names = set(split_names(text))
    wanted = {name: recipes.get(name, also=(POOL,)) for name in names - {POOL}}
    for recipe in wanted.values():
        if recipe.needs_media and not media:
            raise SeaError(
                f"the recipe {recipe.name} needs benign media", hint="Give a folder of them: --benign-media FOLDER"
            )
    in_pool = POOL in names
    return tuple(
        recipe for recipe in recipes if recipe.name in wanted or (in_pool and (media or not recipe.needs_media))
    )


def split_names(text: str) -> list[str]:
    """Return the names in `plain,noise`."""
    return [name.strip() for name in text.split(",")]
