"""`noise` and `dropout`: E is disturbed at every step, so that its content does not depend on a few of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt, Lt

from sea_core.data.examples import PreparedExample
from sea_core.optimization.recipes.base import Recipe, RecipeContext

if TYPE_CHECKING:
    from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True)
class NoiseRecipe(Recipe):
    """Gaussian noise on E at every step."""

    strength: Annotated[float, Gt(0)] = 0.3
    """Standard deviation of the noise, as a multiple of the blank embedding's root mean square."""

    name: ClassVar[str] = "noise"

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.optimization.parametrizations.jitter import NoiseParametrization

        deviation = self.strength * context.blank.rms
        parametrization = NoiseParametrization(lr=self.lr, steps=self.steps, deviation=deviation)
        return lambda example: parametrization


@dataclass(frozen=True)
class DropoutRecipe(Recipe):
    """At every step some feature vectors of E, drawn anew, are replaced by the blank embedding's."""

    strength: Annotated[float, Gt(0), Lt(1)] = 0.3
    """Ratio of the feature vectors of E that are replaced by the blank embedding's, drawn anew at every step."""

    name: ClassVar[str] = "dropout"

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.optimization.parametrizations.jitter import DropoutParametrization

        parametrization = DropoutParametrization(
            lr=self.lr, steps=self.steps, ratio=self.strength, blank=context.blank.features
        )
        return lambda example: parametrization
