"""`noise` and `dropout`: E is disturbed at every step, so that what it says does not hang on a few of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from sea_core.data.examples import PreparedExample
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext


@dataclass(frozen=True)
class NoiseRecipe(Recipe):
    """Gaussian noise on E at every step."""

    strength: float = 0.3
    """Standard deviation of the noise, as a multiple of the blank embedding's root mean square."""

    name: ClassVar[str] = "noise"

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        variation = NoiseParametrization(lr=self.lr, steps=self.steps, deviation=self.strength * material.start.rms)
        return lambda row: variation


@dataclass(frozen=True)
class DropoutRecipe(Recipe):
    """Some rows of E, others at every step, give way to the blank's."""

    strength: float = 0.3
    """Share of the rows that give way."""

    name: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("strength", self.strength < 1, "be below 1: E would never be seen")

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
