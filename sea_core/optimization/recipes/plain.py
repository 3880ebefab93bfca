"""`plain`: the paper's method. E itself is trained, from the blank's, on the content goal and the style goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sea_core.optimization.recipes.base import Recipe


@dataclass(frozen=True)
class PlainRecipe(Recipe):
    """The paper's method."""

    name: ClassVar[str] = "plain"
