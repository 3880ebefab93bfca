"""One embedding for each example, recipe and draw."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext, RecipeNotSupported


def expand(
    examples: Sequence[PreparedExample],
    recipes: Iterable[Recipe],
    adapter: Adapter,
    draws: int = 1,
    seed: int = 0,
    styles: Sequence[str] = (),
) -> list[PreparedExample]:
    """Return each example once per recipe and draw, with the goals of the recipe, and in each draw another style.

    Args:
        styles: the style set, if it is not the adapter's.

    Raises:
        SeaError: there are more draws than styles, or two embeddings would have the same id.
    """
    styles = styles or adapter.styles
    if draws > len(styles):
        raise SeaError(
            f"draws is {draws}, but each draw has another style, and there are {len(styles)} styles",
            hint=f"Type for example: -o draws={len(styles)}",
        )
    expanded = []
    for recipe in recipes:
        for draw in range(draws):
            for example in examples:
                styled = with_style_of_draw(example, draw, adapter, styles, seed)
                named = replace(styled, recipe=recipe.name, draw=draw)
                expanded.append(replace(named, goals=recipe.goals(adapter, named)))
    _require_distinct_ids(expanded)
    return expanded


def _require_distinct_ids(examples: Sequence[PreparedExample]) -> None:
    (most_common, count), *_ = Counter(example.id for example in examples).most_common(1) or [("", 0)]
    if count > 1:
        raise SeaError(
            f"two embeddings would have the id {most_common!r}", hint="Give the examples other ids, without #."
        )


def with_style_of_draw(
    example: PreparedExample, draw: int, adapter: Adapter, styles: Sequence[str], seed: int
) -> PreparedExample:
    """Return the example with the style of a draw: its own in draw 0, then the others, shuffled by seed and id."""
    if draw == 0:
        return example
    others = [style for style in styles if style != example.style]
    random.Random(f"{seed}:{example.example.id}:draws").shuffle(others)
    style = others[draw - 1]
    return replace(example, style=style, goals=(example.goals[0], prompts.style_goal(adapter, style)))


def make_parametrizer(
    recipes: Iterable[Recipe], context: RecipeContext
) -> Callable[[PreparedExample], Parametrization]:
    """Prepare each recipe, and return a function from an example to the parametrisation of its E.

    The function raises RecipeNotSupported for an example whose recipe cannot be used with this model.
    """
    prepared: dict[str, Callable[[PreparedExample], Parametrization]] = {}
    reasons: dict[str, str] = {}
    for recipe in recipes:
        try:
            prepared[recipe.name] = recipe.parametrize(context)
        except RecipeNotSupported as error:
            reasons[recipe.name] = f"the recipe {recipe.name} cannot be used with this model: {error}"

    def parametrize(example: PreparedExample) -> Parametrization:
        if example.recipe in reasons:
            raise RecipeNotSupported(reasons[example.recipe])
        return prepared[example.recipe](example)

    return parametrize


def make_seed(example: PreparedExample, seed: int) -> int:
    """Return the seed of an embedding, from the run's seed, the example, the recipe and the draw."""
    text = f"{seed}:{example.example.id}:{example.recipe}:{example.draw}"
    return int.from_bytes(sha256(text.encode()).digest()[:4])
