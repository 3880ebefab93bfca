"""When numbers are usable, and when two computations of the same numbers count as equal up to rounding.

Two ways to compute a logit (with the encoder or from its stored output, alone or in a batch, before or after a save)
add and round in another order, so their results differ by a little in floating point. Tolerances are relative to the
largest logit and depend only on the dtype that the model computes in.

NaN is unequal to everything, itself included. No comparison here counts it as a change or as the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError

LOGIT_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}
LOGIT_TOLERANCE_16_BIT = 0.05
"""In bf16 and fp16."""

FINITE_HINT = "Is the checkpoint complete? In float16 a model may overflow: type --dtype bfloat16 or float32."

PACKING_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
PACKING_TOLERANCE_16_BIT = 0.1
"""In bf16 and fp16. A wrong block mask gives a relative error of 0.3."""


def all_finite(values: Tensor) -> bool:
    """Return whether no number is NaN or infinite.

    One pass without a copy: about 20 GB/s on one thread, where `isfinite` makes 0.4 GB/s.
    """
    return not values.numel() or all(bool(end.isfinite()) for end in torch.aminmax(values.detach()))


def require_finite(values: Tensor, what: str, hint: str = "") -> None:
    """Raise ModelError if a number is NaN or infinite; `what` names the numbers, in the plural."""
    if not all_finite(values):
        raise not_finite_error(what, hint)


def not_finite_error(what: str, hint: str = "") -> ModelError:
    """Return the error for numbers that are NaN or infinite."""
    return ModelError(f"{what} contain numbers that are not finite (NaN or infinity)", hint=hint or FINITE_HINT)


def first_non_finite(module: nn.Module) -> str | None:
    """Return the name of the first parameter that contains NaN or infinity; None if all are finite.

    Parameters without numbers (on the device meta) and of 8 bits or less (quantised) are not read.
    """
    for name, weight in module.named_parameters():
        if weight.is_floating_point() and weight.itemsize > 1 and not weight.is_meta and not all_finite(weight):
            return name
    return None


def largest_finite(logits: Tensor) -> Tensor:
    """Return for each row of logits whether its largest is a finite number. Models mask unused tokens by -infinity."""
    return logits.amax(-1).isfinite()


def require_finite_logits(logits: Tensor) -> None:
    """Raise ModelError if the largest logit of a row is NaN or infinite."""
    if not largest_finite(logits).all():
        raise not_finite_error("the logits of the model")


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


def changes_logits(before: Tensor, after: Tensor) -> bool:
    """Return whether any logit differs at all between two runs of the same computation on the same device.

    Exact on purpose: such runs round alike, and the outputs of an untrained model change very little.

    Raises:
        ModelError: the largest logit of a row is not a finite number, which is neither a change nor the same.
    """
    require_finite_logits(before)
    require_finite_logits(after)
    return not torch.equal(before, after)


def relative_error(a: Tensor, reference: Tensor) -> float:
    """Return the L2 distance of two tensors, relative to the L2 norm of the reference around its mean."""
    return float((a - reference).norm() / (reference - reference.mean()).norm().clamp_min(1e-30))
