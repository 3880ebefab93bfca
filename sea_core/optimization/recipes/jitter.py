"""`noise` and `dropout`: E is disturbed at every step, so that what it says does not hang on a few of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt, Lt
from torch import Generator, Tensor

from sea_core.data.examples import PreparedExample
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext


@dataclass(frozen=True)
class NoiseRecipe(Recipe):
    """Gaussian noise on E at every step."""

    strength: Annotated[float, Gt(0)] = 0.3
    """Standard deviation of the noise, as a multiple of the blank embedding's root mean square."""

    name: ClassVar[str] = "noise"

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        variation = NoiseParametrization(lr=self.lr, steps=self.steps, deviation=self.strength * material.start.rms)
        return lambda row: variation


@dataclass(frozen=True)
class DropoutRecipe(Recipe):
    """Some rows of E, others at every step, give way to the blank's."""

    strength: Annotated[float, Gt(0), Lt(1)] = 0.3
    """Ratio of the rows of E that are replaced by the blank embedding's, drawn anew at every step."""

    name: ClassVar[str] = "dropout"

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        variation = DropoutParametrization(
            lr=self.lr, steps=self.steps, share=self.strength, blank=material.start.features
        )
        return lambda row: variation


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseParametrization(Parametrization):
    """`deviation` is in the units of E."""

    deviation: float
    stochastic: ClassVar[bool] = True

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        noise = torch.randn(leaf.shape, generator=rng, dtype=leaf.dtype, device=leaf.device)
        return leaf + self.deviation * noise


@dataclass(frozen=True, eq=False, kw_only=True)
class DropoutParametrization(Parametrization):
    """`share` of the rows are those of `blank`, (n_rows, d_encoder)."""

    share: float
    blank: Tensor
    stochastic: ClassVar[bool] = True

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        gone = torch.rand(len(leaf), 1, generator=rng, device=leaf.device) < self.share
        return torch.where(gone, self.blank, leaf)
