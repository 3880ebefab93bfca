"""Shares of counted things, and how sure they are."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile: what a 95 % interval leaves out on either side."""


def ratio(part: int, whole: int) -> float | None:
    """Return part / whole, or None where there is nothing to share: no answer is not a zero."""
    return part / whole if whole else None


def wilson_interval(part: int, whole: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a share (Wilson's score interval), or None where there is nothing to share.

    It takes the counted things as independent. Several answers about one embedding are not quite, so that it is a
    little narrow for them.
    """
    if not whole:
        return None
    p, n = part / whole, whole
    middle, spread = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = ((middle + sign * spread) / (1 + Z**2 / n) for sign in (-1, 1))
    return low if part else 0.0, high if part < whole else 1.0  # exact at the ends, where rounding is not
