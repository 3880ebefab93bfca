"""E is disturbed at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseParametrization(Parametrization):
    """E plus Gaussian noise; `deviation` is in the units of E."""

    deviation: float
    stochastic: ClassVar[bool] = True

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        noise = torch.randn(parameter.shape, generator=rng, dtype=parameter.dtype, device=parameter.device)
        return parameter + self.deviation * noise


@dataclass(frozen=True, eq=False, kw_only=True)
class DropoutParametrization(Parametrization):
    """E with a `ratio` of its vectors replaced by those of `blank`, (n_features, d_encoder)."""

    ratio: float
    blank: Tensor
    stochastic: ClassVar[bool] = True

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        dropped = torch.rand(len(parameter), 1, generator=rng, device=parameter.device) < self.ratio
        return torch.where(dropped, self.blank, parameter)
