"""How embeddings are made: the settings of an optimisation, its recipes and its extractor. Needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sea_core.llm.config import LLMConfig
from sea_core.model.media_folder import media_digest, media_files, sorted_by_content
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.recipes.base import Recipe
from sea_core.optimization.recipes.registry import POOL, RECIPES, parse_recipes, split_names
from sea_core.plugin import loader


@dataclass(frozen=True)
class Synthesis:
    """How embeddings are made.

    Attributes:
        config: every number of the optimisation.
        recipe: names of recipes, as in "plain,noise", or "pool" for all.
        recipes: all known recipes, with their settings; by default those of `known_recipes`.
        benign_media: a folder of real benign media, for the recipes that need them.
        extractor: which extractor finds the phrases. llm: how it asks a language model.
    """

    config: OptimizeConfig = field(default_factory=OptimizeConfig)
    recipe: str = "plain"
    recipes: tuple[Recipe, ...] = ()
    benign_media: Path | None = None
    extractor: str = "rules"
    llm: LLMConfig = field(default_factory=LLMConfig)

    def __post_init__(self) -> None:
        if not self.recipes:
            object.__setattr__(self, "recipes", known_recipes(self.recipe))

    @cached_property
    def media(self) -> tuple[Path, ...]:
        """The benign media, in an order that does not depend on their names. They are listed once.

        Raises:
            DataError: the folder does not exist, or contains no media.
        """
        return tuple(sorted_by_content(media_files(self.benign_media))) if self.benign_media else ()

    @cached_property
    def wanted(self) -> tuple[Recipe, ...]:
        """The recipes to use. Raises SeaError for an unknown one, or one that lacks its benign media."""
        return parse_recipes(self.recipe, bool(self.media), self.recipes)

    def identity(self) -> dict[str, Any]:
        """Return what an embedding depends on. More recipes and draws may follow: they change no other embedding."""
        config = asdict(self.config)
        for name in ("batch_size", "draws", "compile", "workers"):
            config.pop(name)
        media = media_digest(self.media) if self.media else None
        return {"config": config, "recipes": {r.name: asdict(r) for r in self.recipes}, "benign_media": media}


def known_recipes(names: str) -> tuple[Recipe, ...]:
    """Return the built-in recipes, and those of plugins that `names` ("plain,mine") contains.

    Others of plugins are left out, so that a run does not depend on which plugins are installed.

    Raises:
        SeaError: there is no such recipe.
    """
    registry = loader.recipes()
    named = [registry.get(name, also=(POOL,)) for name in split_names(names) if name != POOL]
    return tuple(dict.fromkeys((*RECIPES, *named)))
