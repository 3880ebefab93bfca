"""How E follows from the parameter that is trained: the only place where recipes differ inside the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class Parametrization:
    """The paper's parametrisation: E itself is trained. Subclasses override single methods.

    All randomness comes from `rng`, which follows from the example, the recipe, the draw and the step. So an embedding
    depends neither on the tasks beside it nor on how often a step is repeated.

    Attributes:
        lr: multiple of the engine's step size.
        steps: multiple of the engine's maximum number of updates.
        stochastic: whether the E of a step differs from the final E; then success is only decided on the final E.
    """

    lr: float = 1.0
    steps: float = 1.0
    stochastic: ClassVar[bool] = False

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        """Return the parameter's initial value, without a graph.

        Args:
            start: the blank's E, (n_features, d_encoder).
        """
        return start.detach().clone()

    def start_digest(self, rng: Generator) -> str:
        """Return the digest of the real embedding that `parameter` starts at, for the same `rng`; empty for none."""
        return ""

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        """Return the E of a step, (n_features, d_encoder), with the graph back to the parameter."""
        return parameter

    def final(self, parameter: Tensor) -> Tensor:
        """Return the E that is checked and stored. Only called if `stochastic`."""
        return parameter

    def extra_loss(self, embedding: Tensor) -> Tensor | None:
        """Return a loss to add to that of the goals, or None. It does not count for success."""
        return None


DEFAULT = Parametrization()
