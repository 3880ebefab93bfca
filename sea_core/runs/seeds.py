"""The mean of a figure over several seeds, such as the ASR of one model that was aligned three times.

Seeds that are measured on the same cases are no further cases. Two things are uncertain, and are kept apart: what other
cases would give, and what other seeds would give. Seeds may instead have cases of their own, as in cross-validation.
docs/explanation/statistics.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import fmean, stdev

from sea_core.runs.paired import Z_POWER
from sea_core.runs.statistics import Interval, Z, student_quantile

IntervalEstimate = tuple[float, Interval]
"""The figure of one seed with its 95 % interval over cases."""


@dataclass(frozen=True, slots=True)
class SeedMean:
    """The mean of a figure over seeds.

    Attributes:
        values: of each seed. value: their mean.
        spread: the standard deviation between seeds; None for a single one.
        over_cases: the 95 % interval if only the cases were drawn again, and the seeds kept.
        over_seeds: the 95 % interval if only the seeds were drawn again, and the cases kept; None for a single seed.
        interval: the 95 % interval that contains both.
    """

    values: tuple[float, ...]
    value: float
    spread: float | None
    over_cases: Interval
    over_seeds: Interval | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class SeedChange:
    """The change of a figure between two groups of seeds, such as one model before and three after alignment.

    Attributes:
        value: the mean after less the mean before.
        over_cases, over_seeds, interval: as of `SeedMean`.
        detectable: the smallest change that so many cases and seeds would show in about 80 % of repetitions.
    """

    value: float
    over_cases: Interval
    over_seeds: Interval | None
    interval: Interval
    detectable: float


def seed_mean(estimates: Sequence[IntervalEstimate], limits: Interval = (0.0, 1.0)) -> SeedMean:
    """Return the mean of a figure over seeds, from each seed's value and interval.

    Args:
        limits: the smallest and the largest possible value.
    """
    values = tuple(value for value, _ in estimates)
    margin = _seed_margin(values)
    below, above = _case_margins(estimates)
    value = fmean(values)
    return SeedMean(
        values=values,
        value=value,
        spread=stdev(values) if len(values) > 1 else None,
        over_cases=_around(value, below, above, limits),
        over_seeds=_around(value, margin, margin, limits) if len(values) > 1 else None,
        interval=_around(value, hypot(below, margin), hypot(above, margin), limits),
    )


def seed_change(
    before: Sequence[float],
    after: Sequence[float],
    paired: Sequence[IntervalEstimate],
    limits: Interval = (-1.0, 1.0),
) -> SeedChange:
    """Return the change of the mean over seeds.

    Args:
        before, after: the figure of each seed. A single one has no spread, and adds nothing.
        paired: the paired change with its interval from each seed before to each seed after.
        limits: the smallest and the largest possible change.
    """
    margin = hypot(_seed_margin(before), _seed_margin(after))
    below, above = _case_margins(paired)
    value = fmean(change for change, _ in paired)
    several = len(before) > 1 or len(after) > 1
    widest = max(hypot(below, margin), hypot(above, margin))
    return SeedChange(
        value=value,
        over_cases=_around(value, below, above, limits),
        over_seeds=_around(value, margin, margin, limits) if several else None,
        interval=_around(value, hypot(below, margin), hypot(above, margin), limits),
        detectable=min(limits[1], widest * (1 + Z_POWER / Z)),
    )


def own_cases_mean(values: Sequence[float], pooled: IntervalEstimate, limits: Interval = (0.0, 1.0)) -> SeedMean:
    """Return the mean of a figure over seeds of which each was measured on cases of its own.

    What differs between seeds includes what differs between cases: of the two intervals the wider half counts on each
    side, not both.

    Args:
        values: of each seed. pooled: the figure over the cases of all seeds, with its interval.
        limits: the smallest and the largest possible value.
    """
    value, margin = pooled[0], _seed_margin(values)
    return SeedMean(
        values=tuple(values),
        value=value,
        spread=stdev(values) if len(values) > 1 else None,
        over_cases=pooled[1],
        over_seeds=_around(value, margin, margin, limits) if len(values) > 1 else None,
        interval=_widest(pooled, margin, limits),
    )


def own_cases_change(values: Sequence[float], pooled: IntervalEstimate, limits: Interval = (-1.0, 1.0)) -> SeedChange:
    """Return the change of a figure whose seeds have cases of their own; see `own_cases_mean`.

    Args:
        values: the paired change of each seed. pooled: the paired change over the cases of all seeds.
    """
    value, margin = pooled[0], _seed_margin(values)
    interval = _widest(pooled, margin, limits)
    return SeedChange(
        value=value,
        over_cases=pooled[1],
        over_seeds=_around(value, margin, margin, limits) if len(values) > 1 else None,
        interval=interval,
        detectable=min(limits[1], max(value - interval[0], interval[1] - value) * (1 + Z_POWER / Z)),
    )


def _widest(pooled: IntervalEstimate, margin: float, limits: Interval) -> Interval:
    value, (low, high) = pooled
    return _around(value, max(value - low, margin), max(high - value, margin), limits)


def _seed_margin(values: Sequence[float]) -> float:
    """Return half the width of Student's interval of the mean over seeds; 0 for a single one."""
    n = len(values)
    return student_quantile(n - 1) * stdev(values) / sqrt(n) if n > 1 else 0.0


def _case_margins(estimates: Sequence[IntervalEstimate]) -> tuple[float, float]:
    """Return how far other cases may move the mean, down and up: as far as one seed, since all have the same cases."""
    below = fmean(value - low for value, (low, _) in estimates)
    return below, fmean(high - value for value, (_, high) in estimates)


def _around(value: float, below: float, above: float, limits: Interval) -> Interval:
    return max(limits[0], value - below), min(limits[1], value + above)
