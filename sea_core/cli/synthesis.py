"""The options that say how embeddings are made: what `sea optimize` and `sea plan` share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli.settings import SettingGroup, adapter_group, llm_group, read_settings

if TYPE_CHECKING:
    from sea_core.optimization.recipes.base import Recipe
    from sea_core.pipeline.synthesis import Synthesis

RecipeNames = Annotated[
    str, typer.Option("--recipe", metavar="NAME[,NAME]", help="How embeddings are made: names of recipes, or pool.")
]
BenignMedia = Annotated[
    Path | None, typer.Option("--benign-media", help="A folder of real benign media, for the recipes that need them.")
]
ExtractorName = Annotated[
    str,
    typer.Option(
        "--extractor", help="What finds the phrases: rules (offline), openai, transformers, or a plugin's extractor."
    ),
]


def synthesis_groups(recipes: Iterable[Recipe] = ()) -> list[SettingGroup]:
    """Return the settings of `sea optimize` and `sea plan`.

    Args:
        recipes: the recipes that can be used; by default the built-in ones and all of the installed plugins.
    """
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.plugin import loader

    return [
        SettingGroup(OptimizeConfig()),
        adapter_group(),
        llm_group("of --extractor openai or transformers"),
        *(
            SettingGroup(recipe, recipe.name, f"Recipe {recipe.name}: {{summary}}")
            for recipe in recipes or loader.recipes()
        ),
    ]


def unread_settings(extractor: str) -> dict[str, str]:
    """Return the settings that the rules do not read (see `read_settings`). A plugin's extractor may read them."""
    return {"llm": "--extractor openai or transformers"} if extractor == "rules" else {}


def read_synthesis(
    recipe: str, benign_media: Path | None, extractor: str, file: Path | None, option: Sequence[str]
) -> tuple[Synthesis, dict[str, Any]]:
    """Return how embeddings are made, and the settings of the adapter. Imports no torch.

    Raises:
        SeaError: a setting or a recipe is not accepted, or a recipe lacks its benign media.
    """
    from sea_core.pipeline.synthesis import Synthesis, known_recipes

    defaults = known_recipes(recipe)
    found = read_settings(synthesis_groups(defaults), file, option, unread_settings(extractor))
    recipes = tuple(found[default.name] for default in defaults)
    synthesis = Synthesis(found[""], recipe, recipes, benign_media, extractor, found["llm"])
    _ = synthesis.wanted
    return synthesis, found["adapter"]
