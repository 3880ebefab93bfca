"""Ratios of counts, their confidence intervals, and the interval of a mean: docs/explanation/statistics.md."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

Interval = tuple[float, float]
"""The lower and the upper end of a 95 % confidence interval."""
Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for a 95 % interval."""


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


def effective_count(answers: Mapping[K, Sequence[bool]]) -> float:
    """Return how many independent answers would vary as much as the answers of these clusters do.

    At least the number of clusters, at most that of answers. Where all answers are the same, it is the number of
    clusters.

    Args:
        answers: for each cluster, which of its answers count; at least one.
    """
    ratios = [sum(each) / len(each) for each in answers.values()]
    k, n, mean = len(ratios), sum(map(len, answers.values())), fmean(ratios)
    if not 0 < mean < 1:
        return float(k)
    variance = stdev(ratios) ** 2 / k if k > 1 else 0.0
    return max(float(k), min(float(n), mean * (1 - mean) / variance)) if variance else float(n)


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
