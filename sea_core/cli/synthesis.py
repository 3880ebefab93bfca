"""The options that say how embeddings are made: what `sea optimize` and `sea plan` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sea_core.pipeline.optimize import Synthesis

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


def read_synthesis(
    recipe: str, benign_media: Path | None, extractor: str, file: Path | None, option: Sequence[str]
) -> tuple[Synthesis, dict[str, Any]]:
    """Return how embeddings are made, and the settings of the adapter."""
    from sea_core.cli.options import split_group
    from sea_core.config import override, parse_overrides, reject_unknown, setting_names
    from sea_core.llm.config import LLMConfig
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.pipeline.optimize import Synthesis, known_recipes

    adapter, left = split_group(parse_overrides(file, option), "adapter")
    config, left = override(OptimizeConfig(), left)
    llm, left = override(LLMConfig(), left, "llm")
    recipes, known = [], setting_names(config) + setting_names(llm, "llm")
    for default in known_recipes(recipe):
        configured, left = override(default, left, default.name)
        recipes.append(configured)
        known += setting_names(default, default.name)
    reject_unknown(left, known)
    return Synthesis(config, recipe, tuple(recipes), benign_media, extractor, llm), adapter
