"""Ratios of counts, and their confidence intervals."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for a 95 % interval."""


def ratio(part: int, total: int) -> float | None:
    """Return part / total; None if total is 0: no answers are not a ratio of zero."""
    return part / total if total else None


def wilson_interval(part: int, total: int) -> tuple[float, float] | None:
    """Return the 95 % interval of part / total (Wilson 1927); None if total is 0.

    It assumes that the counted items are independent. Several answers about one embedding are not entirely, for which
    it is slightly too narrow.
    """
    if not total:
        return None
    p, n = part / total, total
    centre, spread = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = ((centre + sign * spread) / (1 + Z**2 / n) for sign in (-1, 1))
    return low if part else 0.0, high if part < total else 1.0  # exact at both ends, where rounding is not
