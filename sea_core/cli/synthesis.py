"""How embeddings are to be made: what `sea optimize` and `sea plan` read off their options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sea_core.data.examples import PreparedExample
    from sea_core.llm.config import LLMConfig
    from sea_core.model.adapter import Adapter
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.optimization.recipes.base import Recipe

RecipeNames = Annotated[str, typer.Option("--recipe", metavar="NAME[,NAME]", help="How embeddings are made, or pool.")]
MediaFolder = Annotated[
    Path | None, typer.Option("--media", help="A folder of real benign media, for the recipes that need them.")
]


@dataclass(frozen=True)
class Synthesis:
    """How embeddings are to be made, and of what.

    Attributes:
        recipes: all, with their settings. wanted: those that were asked for.
        chat: how a language model is asked for the phrases, where the extractor asks one.
        files: benign media. prepared: the rows. todo: one for each embedding that is to be made.
    """

    told: OptimizeConfig
    recipes: tuple[Recipe, ...]
    wanted: tuple[Recipe, ...]
    chat: LLMConfig
    files: Sequence[Path] = ()
    prepared: Sequence[PreparedExample] = ()
    todo: Sequence[PreparedExample] = ()

    def of_rows(self, prepared: Sequence[PreparedExample], adapter: Adapter, styles: Sequence[str] = ()) -> Synthesis:
        """Return the same for these rows; `styles` where they are not the adapter's."""
        from sea_core.optimization.recipes.expand import expand

        todo = expand(prepared, self.wanted, adapter, self.told.draws, self.told.seed, styles)
        return replace(self, prepared=prepared, todo=todo)

    def identity(self) -> dict[str, Any]:
        """Return what an embedding depends on. A run may go on with more recipes and draws: they change no other's."""
        from sea_core.model.media_folder import digest

        config = asdict(self.told)
        for name in ("batch_size", "draws"):
            config.pop(name)
        media = digest(self.files) if self.files else None
        return {"config": config, "recipes": {r.name: asdict(r) for r in self.recipes}, "media": media}

    def benign(self, mllm: MLLM, rows: Sequence[PreparedExample]) -> list[Embedding]:
        """Return the benign media's embeddings, if a row's recipe needs them."""
        from sea_core.cli.progress import bar
        from sea_core.model.media_folder import encode_files

        needy = {recipe.name for recipe in self.recipes if recipe.needs_media}
        if not needy & {row.recipe for row in rows}:
            return []
        found = []
        with bar("encode", len(self.files)) as progress:
            for embedding in encode_files(mllm, self.files):
                found.append(embedding)
                progress.advance()
        return found


def read(
    adapter: Adapter, recipe: str, media: Path | None, config: Path | None, option: Sequence[str]
) -> tuple[Synthesis, Adapter]:
    """Read the options; return also the adapter, with its settings."""
    from sea_core import config as settings
    from sea_core.llm.config import LLMConfig
    from sea_core.model.media_folder import by_content, media_files
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.optimization.recipes.registry import RECIPES, parse_recipes

    told, left = settings.override(OptimizeConfig(), settings.parse_overrides(config, option))
    adapter, left = settings.override(adapter, left, "adapter")
    chat, left = settings.override(LLMConfig(), left, "chat")
    recipes = []
    for one in RECIPES:
        one, left = settings.override(one, left, one.name)
        recipes.append(one)
    known = (
        settings.setting_names(told) + settings.setting_names(adapter, "adapter") + settings.setting_names(chat, "chat")
    )
    settings.reject_unknown(left, known + [name for one in recipes for name in settings.setting_names(one, one.name)])
    files = by_content(media_files(media)) if media else []
    wanted = parse_recipes(recipe, bool(files), tuple(recipes))
    return Synthesis(told, tuple(recipes), wanted, chat, files), adapter
