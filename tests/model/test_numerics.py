"""The one definition of "equal up to rounding"."""

from __future__ import annotations

import pytest
import torch

from sea_core.errors import ModelError
from sea_core.model import numerics

BY_PRECISION = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@pytest.mark.parametrize("limit", [numerics.tolerance, numerics.packing_tolerance])
def test_more_precision_never_means_a_looser_tolerance(limit: object) -> None:
    limits = [limit(dtype) for dtype in BY_PRECISION]  # type: ignore[operator]
    assert limits == sorted(limits)
    assert limits[0] < limits[1] < limits[2] == limits[3]


@pytest.mark.parametrize("dtype", BY_PRECISION, ids=str)
def test_rounding_is_allowed_and_ten_times_the_tolerance_is_not(dtype: torch.dtype) -> None:
    reference = torch.tensor([0.5, -20.0])
    step, allowed = numerics.tolerance(dtype) * 20.0, numerics.max_rounding(reference, dtype)
    assert numerics.max_difference(reference + 0.9 * step, reference) <= allowed
    assert numerics.max_difference(reference + 10 * step, reference) > allowed


def test_small_logits_are_compared_as_if_the_largest_were_one() -> None:
    assert numerics.max_rounding(torch.tensor([1e-3]), torch.float32) == numerics.tolerance(torch.float32)


def test_nan_is_within_no_rounding() -> None:
    nan, number = torch.tensor([torch.nan]), torch.ones(1)
    for a, b in ((nan, number), (number, nan), (nan, nan)):
        assert not numerics.max_difference(a, b) <= numerics.max_rounding(b, torch.float32)


@pytest.mark.parametrize("dtype", BY_PRECISION, ids=str)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_one_number_that_is_not_finite_is_found(dtype: torch.dtype, bad: float) -> None:
    values = torch.linspace(-1, 1, 1000).to(dtype).reshape(10, 100)
    assert numerics.all_finite(values)
    assert numerics.all_finite(values[:0])
    values[3, 7] = bad
    assert not numerics.all_finite(values)
    with pytest.raises(ModelError, match="the features contain numbers that are not finite"):
        numerics.require_finite(values, "the features")


def test_nan_is_no_change_of_the_logits() -> None:
    """NaN is unequal to itself: a model that returns nothing else would seem to react to every medium."""
    nan = torch.full((2, 3), torch.nan)
    for before, after in ((nan, nan), (torch.ones(2, 3), nan), (nan, torch.ones(2, 3))):
        with pytest.raises(ModelError, match="not finite"):
            numerics.changes_logits(before, after)
    masked = torch.tensor([[1.0, -torch.inf]])  # as models mask tokens that are not in use
    assert not numerics.changes_logits(masked, masked.clone())


def test_any_changed_bit_changes_the_logits() -> None:
    before = torch.ones(3)
    assert not numerics.changes_logits(before, before.clone())
    assert numerics.changes_logits(before, torch.nextafter(before, torch.full((3,), 2.0)))


def test_relative_error_ignores_the_mean_of_the_reference() -> None:
    reference = torch.tensor([101.0, 99.0], dtype=torch.float64)
    assert numerics.relative_error(reference + torch.tensor([0.1, 0.0]), reference) == pytest.approx(0.1 / 2**0.5)
    assert numerics.relative_error(torch.ones(2), torch.ones(2)) == 0.0
