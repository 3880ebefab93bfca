"""`subspace` and `benign-start`: with real benign media, E stays where real embeddings are, or starts at one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt

from sea_core.data.examples import PreparedExample
from sea_core.optimization.recipes.base import Recipe, RecipeContext

if TYPE_CHECKING:
    from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True)
class SubspaceRecipe(Recipe):
    """Each vector of E is the mean vector of the benign media plus a combination of their principal directions."""

    directions: Annotated[int, Gt(0)] = 64
    """Number of principal directions; fewer if the encoder is narrower."""

    name: ClassVar[str] = "subspace"
    needs_media: ClassVar[bool] = True

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.optimization.parametrizations.benign import fit_subspace

        parametrization = fit_subspace(context, self.directions, lr=self.lr, steps=self.steps)
        return lambda example: parametrization


@dataclass(frozen=True)
class BenignStartRecipe(Recipe):
    """Each embedding starts at the embedding of a benign medium, drawn by seed."""

    name: ClassVar[str] = "benign-start"
    needs_media: ClassVar[bool] = True

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.optimization.parametrizations.benign import start_at_benign

        parametrization = start_at_benign(context, lr=self.lr, steps=self.steps)
        return lambda example: parametrization
