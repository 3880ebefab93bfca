"""The recipes by name."""

from __future__ import annotations

from difflib import get_close_matches

from sea_core.errors import SeaError
from sea_core.optimization.recipes.base import Recipe
from sea_core.optimization.recipes.benign import BenignStartRecipe, SubspaceRecipe
from sea_core.optimization.recipes.goals import GoalsRecipe
from sea_core.optimization.recipes.hidden import HiddenRecipe
from sea_core.optimization.recipes.input import InputRecipe
from sea_core.optimization.recipes.jitter import DropoutRecipe, NoiseRecipe
from sea_core.optimization.recipes.plain import PlainRecipe

RECIPES: tuple[Recipe, ...] = (
    PlainRecipe(),
    GoalsRecipe(),
    NoiseRecipe(),
    DropoutRecipe(),
    HiddenRecipe(),
    InputRecipe(),
    SubspaceRecipe(),
    BenignStartRecipe(),
)
POOL = "pool"
"""All of them; those that need benign media only where these are given."""


def parse_recipes(text: str, media: bool, known: tuple[Recipe, ...] = RECIPES) -> tuple[Recipe, ...]:
    """Return the recipes of `plain,noise` or `pool`, in the order of the registry.

    Args:
        media: whether benign media are given. known: the recipes, with their settings.

    Raises:
        SeaError: no such recipe, or one that needs benign media without them.
    """
    by_name = {recipe.name: recipe for recipe in known}
    wanted = [name.strip() for name in text.split(",")]
    if POOL in wanted:
        wanted += [recipe.name for recipe in known if media or not recipe.needs_media]
    for name in wanted:
        if name != POOL and name not in by_name:
            near = get_close_matches(name, (*by_name, POOL), 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Recipes: {', '.join((*by_name, POOL))}"
            raise SeaError(f"there is no recipe {name!r}", hint=hint)
        if name != POOL and by_name[name].needs_media and not media:
            raise SeaError(f"the recipe {name} needs benign media", hint="Give a folder of them: --media FOLDER")
    return tuple(recipe for recipe in known if recipe.name in wanted)
