"""Where E crosses the seam in a model whose own forward pass is replayed. Imports no torch, as adapters must not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Crossing:
    """A tensor of E: among the arguments of a module, or in its result.

    Attributes:
        module: the module's name, as in `named_modules`.
        side: whether it is an argument (`input`) or in the result (`output`).
        path: where among `(args, kwargs)` or in the result, as `torch.utils._pytree.keystr` writes it; empty for the
            first tensor.
    """

    module: str
    side: Literal["input", "output"] = "input"
    path: str = ""


@dataclass(frozen=True)
class ReplaySeam:
    """The seam of a model whose own forward pass is replayed with another E.

    Attributes:
        crossings: all tensors of E. E holds them side by side, or one below the other if they differ in length.
        scales: for each of them, the factor by which it is larger than in E, so that one step size suits all: powers of
            two, which round nothing. Empty for 1.
        skipped: the encoder's modules, by name: they are not run, and return zeros of the shape that they gave.
        end: the module that is given the merged sequence first, by name; empty for the decoder.
    """

    crossings: tuple[Crossing, ...]
    skipped: tuple[str, ...]
    end: str = ""
    scales: tuple[float, ...] = ()
