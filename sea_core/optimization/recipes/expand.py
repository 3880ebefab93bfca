"""Rows times recipes times draws: each an embedding to be made."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext, RecipeNotSupported


def expand(
    rows: Sequence[PreparedExample],
    recipes: Sequence[Recipe],
    adapter: Adapter,
    draws: int = 1,
    seed: int = 0,
    styles: Sequence[str] = (),
) -> list[PreparedExample]:
    """Return each row once for each recipe and draw, with the goals of the recipe, and in each draw another style.

    Args:
        styles: the style set, where it is not the adapter's.

    Raises:
        SeaError: more draws than there are styles, or two embeddings would have one id.
    """
    styles = styles or adapter.styles
    if draws > len(styles):
        raise SeaError(
            f"draws is {draws}, but draws differ by style, and there are {len(styles)} styles",
            hint=f"Type for example: -o draws={len(styles)}",
        )
    found = []
    for recipe in recipes:
        for draw in range(draws):
            for row in rows:
                one = replace(with_other_style(row, draw, adapter, styles, seed), recipe=recipe.name, draw=draw)
                found.append(replace(one, goals=recipe.goals(adapter, one)))
    (most, count), *_ = Counter(row.id for row in found).most_common(1) or [("", 0)]
    if count > 1:
        raise SeaError(f"two embeddings would have the id {most!r}", hint="Give the rows other ids, without #.")
    return found


def with_other_style(
    row: PreparedExample, draw: int, adapter: Adapter, styles: Sequence[str], seed: int
) -> PreparedExample:
    """Return the row with the style of a draw: its own for the first, then the others in an order of its own."""
    if draw == 0:
        return row
    others = [style for style in styles if style != row.style]
    random.Random(f"{seed}:{row.example.id}:draws").shuffle(others)
    style = others[draw - 1]
    return replace(row, style=style, goals=(row.goals[0], prompts.style_goal(adapter, style)))


def parametrizations(
    recipes: Sequence[Recipe], material: RecipeContext
) -> Callable[[PreparedExample], Parametrization]:
    """Begin each recipe, and return how a row's E is made.

    The function raises Unusable for a row whose recipe cannot be used with this model.
    """
    begun: dict[str, Callable[[PreparedExample], Parametrization]] = {}
    reasons: dict[str, str] = {}
    for recipe in recipes:
        try:
            begun[recipe.name] = recipe.begin(material)
        except RecipeNotSupported as error:
            reasons[recipe.name] = f"the recipe {recipe.name} cannot be used with this model: {error}"

    def of_row(row: PreparedExample) -> Parametrization:
        if row.recipe in reasons:
            raise RecipeNotSupported(reasons[row.recipe])
        return begun[row.recipe](row)

    return of_row


def make_seed(row: PreparedExample, seed: int) -> int:
    """Return what the row's randomness follows from: the run's seed, the row, the recipe and the draw."""
    told = f"{seed}:{row.example.id}:{row.recipe}:{row.draw}"
    return int.from_bytes(sha256(told.encode()).digest()[:4])
