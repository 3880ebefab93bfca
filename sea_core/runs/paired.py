"""The change of a ratio between two measurements of the same items, such as a model before and after alignment.

The items are paired, so only those that change say anything about the change. Where several items belong together, as
one case asked in several tasks, they are a cluster: their changes are not independent of each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import comb, sqrt

from sea_core.runs.statistics import Interval, Z, ratio, student_quantile, wilson_interval

SIGNIFICANCE = 0.05
MIN_CHANGED = 6
"""With fewer items or clusters that change, even if all change in one direction, the exact test finds no difference at
5 %."""
Z_POWER = 0.8416212335729143
"""The 80 % quantile of the normal distribution: a difference of the size that is called detectable is found in 80 %."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One item: whether it counted before and after, and the cluster that it belongs to."""

    before: bool
    after: bool
    cluster: Hashable = None


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The change of a ratio.

    Attributes:
        pairs: how many items were measured twice. clusters: of how many clusters.
        gained: items that count only after. lost: items that count only before.
        before, after: the ratio of the items that count; None if there are no pairs.
        value: the ratio after less the ratio before.
        interval: its 95 % confidence interval.
        p: the probability of a change at least as large if nothing but chance moved the items.
        detectable: the smallest change that so many clusters of pairs would show in 80 % of repetitions, if as large
            a part of them changed.
    """

    pairs: int
    clusters: int
    gained: int
    lost: int
    before: float | None
    after: float | None
    value: float | None
    interval: Interval | None
    p: float | None
    detectable: float | None


def paired_difference(pairs: Iterable[Pair]) -> PairedDifference:
    """Return the change over all pairs.

    Without clusters: Newcombe's interval (1998, method 10) and McNemar's exact test. With clusters of several pairs:
    the interval from the variance between clusters (Obuchowski 1998), with Student's t, and the exact sign-flip test.
    The interval contains 0 where the test finds no difference, and lies on one side of it where it finds one.
    """
    counted = list(pairs)
    n, gained, lost = len(counted), *(_count(counted, after) for after in (True, False))
    clusters = Counter(i if pair.cluster is None else pair.cluster for i, pair in enumerate(counted))
    changes = dict.fromkeys(clusters, 0)
    for i, pair in enumerate(counted):
        changes[i if pair.cluster is None else pair.cluster] += pair.after - pair.before
    both = sum(pair.before and pair.after for pair in counted)
    cells = (both, lost, gained, n - both - lost - gained)
    if len(clusters) == n:
        interval, p = newcombe_interval(*cells), mcnemar(gained, lost)
    else:
        sizes = [(change, clusters[cluster]) for cluster, change in changes.items()]
        interval, p = clustered_interval(sizes, cells), sign_flip(changes.values())
    return PairedDifference(
        pairs=n,
        clusters=len(clusters),
        gained=gained,
        lost=lost,
        before=ratio(both + lost, n),
        after=ratio(both + gained, n),
        value=ratio(gained - lost, n),
        interval=_agreeing(interval, gained - lost, p) if n else None,
        p=p if n else None,
        detectable=detectable_difference(sum(change**2 for change in changes.values()), n, len(clusters)),
    )


def _count(pairs: Iterable[Pair], after: bool) -> int:
    return sum(pair.after is after and pair.before is not after for pair in pairs)


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided p of McNemar's exact test: a change goes in either direction with probability 1/2."""
    n = gained + lost
    tail = sum(comb(n, k) for k in range(min(gained, lost) + 1)) / (1 << n)
    return min(1.0, 2 * tail)


def newcombe_interval(both: float, lost: float, gained: float, neither: float) -> Interval | None:
    """Return the 95 % interval of the difference of two paired ratios (Newcombe 1998, method 10)."""
    n = both + lost + gained + neither
    if not n:
        return None
    before, after = (both + lost) / n, (both + gained) / n
    before_interval, after_interval = wilson_interval(both + lost, n), wilson_interval(both + gained, n)
    assert before_interval is not None
    assert after_interval is not None
    phi, difference = _phi(both, lost, gained, neither), after - before

    def spread(a: float, b: float) -> float:
        return sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    below = spread(after - after_interval[0], before_interval[1] - before)
    above = spread(after_interval[1] - after, before - before_interval[0])
    return max(-1.0, difference - below), min(1.0, difference + above)


def _phi(both: float, lost: float, gained: float, neither: float) -> float:
    """Return the correlation of the two measurements, with the correction for continuity of method 10."""
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    if not margins:
        return 0.0
    n, product = both + lost + gained + neither, both * neither - lost * gained
    corrected = max(product - n / 2, 0.0) if product > 0 else product
    return corrected / sqrt(margins)


def clustered_interval(clusters: Iterable[tuple[int, int]], cells: tuple[int, int, int, int]) -> Interval | None:
    """Return the 95 % interval of the mean change over all items.

    Where no cluster differs from another there is no variance to go by: then each cluster counts as one item.

    Args:
        clusters: each cluster's sum of changes and its size.
        cells: how many items count both times, only before, only after, and neither time.
    """
    counted = list(clusters)
    k, n, total = len(counted), sum(size for _, size in counted), sum(change for change, _ in counted)
    if k < 2:
        return None
    squares = sum((change * n - size * total) ** 2 for change, size in counted)
    if not squares:
        return newcombe_interval(*(cell * k / n for cell in cells))
    margin = student_quantile(k - 1) * sqrt(k / (k - 1) * squares) / n**2
    return max(-1.0, total / n - margin), min(1.0, total / n + margin)


def sign_flip(changes: Iterable[int]) -> float:
    """Return the two-sided p of the exact sign-flip test, from each cluster's sum of changes.

    If nothing but chance moved the clusters, each sum has either sign with probability 1/2. With sums of 1 and -1 it is
    McNemar's exact test.
    """
    import numpy as np  # here: the start of every command reads this module

    counted = [change for change in changes if change]
    upwards = np.ones(1)  # the probability of each sum of those changes that go up
    for size in map(abs, counted):
        upwards = (np.pad(upwards, (0, size)) + np.pad(upwards, (size, 0))) / 2
    gained = sum(change for change in counted if change > 0)
    tail = upwards[: min(gained, len(upwards) - 1 - gained) + 1].sum()
    return min(1.0, 2 * float(tail))


def _agreeing(interval: Interval | None, change: int, p: float) -> Interval | None:
    """Return an interval that does not contradict the exact test at 5 %.

    Where this finds no difference it is widened to contain 0: where little changes, the variance understates chance.
    Where it finds one, it ends at 0: a single large cluster makes the variance large, but not the sign doubtful.
    """
    if interval is None:
        return None
    if p >= SIGNIFICANCE:
        return min(interval[0], 0.0), max(interval[1], 0.0)
    return (max(interval[0], 0.0), interval[1]) if change > 0 else (interval[0], min(interval[1], 0.0))


def detectable_difference(changed: float, pairs: int, clusters: int | None = None) -> float | None:
    """Return the smallest change that is shown in 80 % of repetitions (Connor 1987), but for rounding to whole items.

    Args:
        changed: how many of the pairs change; with clusters, the sum over these of their change squared.
        clusters: of how many clusters the pairs are; by default each pair is one.
    """
    if not pairs:
        return None
    floor = MIN_CHANGED / (clusters or pairs)
    rest = max(0.0, pairs + Z_POWER**2 - Z**2)
    change = sqrt(changed / pairs) * (Z * sqrt(pairs) + Z_POWER * sqrt(rest)) / (pairs + Z_POWER**2)
    return min(1.0, max(floor, change))
