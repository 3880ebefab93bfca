"""A recipe that starts near the blank embedding instead of at it."""

from dataclasses import dataclass
from typing import ClassVar

from sea_core import Recipe
from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True)
class AcmeRecipe(Recipe):
    shift: float = 0.1
    """The distance of the start from the blank embedding, as a multiple of its root mean square."""

    name: ClassVar[str] = "acme"

    def parametrize(self, context):
        parametrization = Shifted(shift=self.shift * context.blank.rms)
        return lambda example: parametrization


@dataclass(frozen=True, eq=False, kw_only=True)
class Shifted(Parametrization):
    shift: float

    def parameter(self, start, rng):
        return super().parameter(start, rng) + self.shift
