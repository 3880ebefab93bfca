"""Ratios of counts, their confidence intervals, and the interval of a mean: docs/explanation/statistics.md."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

Interval = tuple[float, float]
"""The lower and the upper end of a 95 % confidence interval."""
ROUNDING = 1e-9
Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for a 95 % interval."""


@dataclass(frozen=True, slots=True)
class MeasuredRatio:
    """A ratio with its 95 % interval."""

    value: float
    interval: Interval


def ratio(part: int, total: int) -> float | None:
    """Return part / total; None if total is 0: no answers are not a ratio of zero."""
    return part / total if total else None


def wilson_interval(part: float, total: float) -> Interval | None:
    """Return the 95 % interval of part / total (Wilson 1927); None if total is 0.

    It assumes that the counted items are independent; for those that are not there is `cluster_interval`.
    """
    if not total:
        return None
    p, n = part / total, total
    centre, spread = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = ((centre + sign * spread) / (1 + Z**2 / n) for sign in (-1, 1))
    return low if part else 0.0, high if part < total else 1.0  # exact at both ends, where rounding is not


def continuity_corrected_interval(part: float, total: float) -> Interval | None:
    """Return Wilson's 95 % interval with continuity correction (Newcombe 1998, method 4); None if total is 0.

    It is wider than Wilson's, and contains the truth often enough near 0 and 1 too, where Wilson's may not. For an
    effective number below 1, for which the correction is not made, it is all of 0 to 1.
    """
    if not total:
        return None
    if total < 1:
        return 0.0, 1.0
    p, n = part / total, total
    below, above = (max(0.0, Z**2 - 2 * sign - 1 / n + 4 * p * (n * (1 - p) + sign)) for sign in (1, -1))
    low = (2 * n * p + Z**2 - 1 - Z * sqrt(below)) / (2 * (n + Z**2))
    high = (2 * n * p + Z**2 + 1 + Z * sqrt(above)) / (2 * (n + Z**2))
    return max(0.0, low) if part else 0.0, min(1.0, high) if part < total else 1.0


def effective_count(answers: Mapping[K, Sequence[bool]], *, by_cluster: bool = False) -> float:
    """Return how many independent answers say as much about a ratio as the answers of these clusters do.

    It is p (1 - p) / v (z / t)^2 (Korn and Graubard 1998): v is the variance of the ratio p between clusters,
    linearised, and t allows for the few clusters that v is known from. It is at most the number of answers, and at
    least the effective number of clusters (Kish 1965), which is left where the answers of each are all the same: their
    number, or less if some have more answers than others.

    Args:
        answers: for each cluster, which of its answers count; at least one.
        by_cluster: whether p is the mean of the clusters' ratios, and not the ratio of all answers.
    """
    sizes, k = [len(each) for each in answers.values()], len(answers)
    total = sum(sizes)
    weights = [1 / k if by_cluster else size / total for size in sizes]
    ratios = [sum(each) / len(each) for each in answers.values()]
    p = sum(weight * value for weight, value in zip(weights, ratios, strict=True))
    least = 1 / sum(weight**2 for weight in weights)
    degrees = int(least + ROUNDING) - 1
    if degrees < 1 or not ROUNDING < p < 1 - ROUNDING:
        return least
    squares = (weight**2 * (value - p) ** 2 for weight, value in zip(weights, ratios, strict=True))
    variance = least / (least - 1) * sum(squares)
    count = min(total, p * (1 - p) / variance) if variance else total
    return max(least, count * (Z / student_quantile(degrees)) ** 2)


def cluster_interval(answers: Mapping[K, Sequence[bool]]) -> Interval | None:
    """Return Wilson's interval of the ratio of answers that count, for clusters of answers; None if there are none.

    Its number of answers is `effective_count`: the answers about one example say less than as many about several.
    """
    every = [counts for of_cluster in answers.values() for counts in of_cluster]
    if not every:
        return None
    count = effective_count(answers)
    return wilson_interval(sum(every) / len(every) * count, count)


def mover_interval(estimates: Sequence[tuple[float, Interval]], limits: Interval = (0.0, 1.0)) -> Interval:
    """Return the 95 % interval of the mean of independent estimates, from their own (MOVER: Zou and Donner 2008).

    Args:
        estimates: the values and their intervals.
        limits: the smallest and the largest possible value.
    """
    n = len(estimates)
    mean = sum(value for value, _ in estimates) / n
    below = sqrt(sum((value - low) ** 2 for value, (low, _) in estimates)) / n
    above = sqrt(sum((high - value) ** 2 for value, (_, high) in estimates)) / n
    return max(limits[0], mean - below), min(limits[1], mean + above)


def student_quantile(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t: exact for 1 and 2 degrees of freedom, else within 1 %.

    From 3 on by the expansion of Fisher and Cornish (1960).
    """
    if degrees < 3:
        return {1: 12.706204736432095, 2: 4.302652729911275}[degrees]
    z, n = Z, degrees
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
