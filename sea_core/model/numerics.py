"""When two computations of the same numbers count as equal: the one definition of "equal up to rounding".

Two ways to compute a logit (with the encoder or from its stored output, alone or in a batch, before or after a save)
add and round in another order, so their results differ by a little in floating point. Tolerances are relative to the
largest logit and depend only on the dtype that the model computes in.
"""

from __future__ import annotations

import torch
from torch import Tensor

LOGIT_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}
LOGIT_TOLERANCE_16_BIT = 0.05
"""In bf16 and fp16."""

PACKING_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
PACKING_TOLERANCE_16_BIT = 0.1
"""In bf16 and fp16. A wrong block mask gives a relative error of 0.3."""


def tolerance(dtype: torch.dtype) -> float:
    """Return how far two computations of one logit may differ, relative to the largest logit."""
    return LOGIT_TOLERANCE.get(dtype, LOGIT_TOLERANCE_16_BIT)


def packing_tolerance(dtype: torch.dtype) -> float:
    """Return the relative error allowed between packed and sequential logits or gradients (see `relative_error`).

    Larger than `tolerance`: gradients are compared too, and packed attention adds in another order.
    """
    return PACKING_TOLERANCE.get(dtype, PACKING_TOLERANCE_16_BIT)


def max_difference(a: Tensor, b: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape; NaN where either contains NaN."""
    return (a - b).abs().max().item()


def max_rounding(reference: Tensor, dtype: torch.dtype) -> float:
    """Return the largest absolute difference from `reference` that rounding explains in a model of this dtype."""
    return tolerance(dtype) * max(1.0, reference.abs().max().item())


def same(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    """Return whether two computations of the same logits agree up to rounding; `b` is the reference."""
    return max_difference(a, b) <= max_rounding(b, dtype)


def changes_logits(before: Tensor, after: Tensor) -> bool:
    """Return whether any logit differs at all between two runs of the same computation on the same device.

    Exact on purpose: such runs round alike, and the outputs of an untrained model change very little.
    """
    return not torch.equal(before, after)


def relative_error(a: Tensor, reference: Tensor) -> float:
    """Return the L2 distance of two tensors, relative to the L2 norm of the reference around its mean."""
    return float((a - reference).norm() / (reference - reference.mean()).norm().clamp_min(1e-30))
