"""How the E of a row comes from what is trained: the one place where recipes differ inside the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class Parametrization:
    """The paper's way: E itself is trained, and shown as it is.

    A subclass changes one thing. All its randomness comes from `rng`, which follows from the row, the recipe, the draw
    and the step: so does the row's E, whatever runs beside it, and however often a step is made again.

    Attributes:
        varies: whether what is shown differs from what is kept; a row then ends only by a look at the clean E.
        lr: step size, as a multiple of the rules'. steps: budget, likewise.
    """

    lr: float = 1.0
    steps: float = 1.0
    stochastic: ClassVar[bool] = False

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        """Return what is trained, with no graph; `start` is the E that rows start from, (n_rows, d_encoder)."""
        return start.detach().clone()

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        """Return the E that the model sees in this step, (n_rows, d_encoder), with the graph back to the leaf."""
        return leaf

    def final(self, leaf: Tensor) -> Tensor:
        """Return the E that is checked and kept. Only asked for where the variation `varies`."""
        return leaf

    def extra_loss(self, shown: Tensor) -> Tensor | None:
        """Return what else is to be small, besides the loss of the goals; it plays no part in when a row is done."""
        return None


DEFAULT = Parametrization()
