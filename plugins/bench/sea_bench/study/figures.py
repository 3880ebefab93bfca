"""A figure of an arm, and its change to another arm, from values by phrase: phrases are the clusters.

A figure is a sum of sides, each the mean over phrases of a ratio of answers, added or subtracted: discrimination is
what is refused of harmful phrases, less what is refused of benign ones. All media, tasks and wordings of one phrase are
one cluster, since their answers are not independent. docs/explanation/statistics.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import fmean, stdev

from sea_core.runs.seeds import Estimate, SeedChange, SeedMean, seed_change, seed_mean
from sea_core.runs.statistics import Interval, effective_count, student_quantile, wilson_interval

Answers = Mapping[Hashable, Sequence[bool]]
"""What counts of the answers about each phrase."""


@dataclass(frozen=True)
class Side:
    """One side of a figure: the answers by phrase, and whether their ratio is added (1) or subtracted (-1)."""

    answers: Answers
    sign: int = 1


@dataclass(frozen=True)
class Figure:
    """A figure of one run. It has no value where a side has no answers."""

    sides: tuple[Side, ...]

    @property
    def limits(self) -> Interval:
        """The smallest and the largest possible value."""
        return (-1.0 if any(side.sign < 0 for side in self.sides) else 0.0), 1.0

    def estimate(self) -> Estimate | None:
        """Return its value and 95 % interval; None where a side has no answers."""
        if not self.sides or not all(side.answers for side in self.sides):
            return None
        parts = [(side.sign, cluster_ratio(side.answers)) for side in self.sides]
        return _combine(parts, self.limits)

    def change(self, other: Figure) -> Estimate | None:
        """Return the change to another run's figure, paired by phrase; None where they have no phrase in common."""
        parts = []
        for side, after in zip(self.sides, other.sides, strict=True):
            shared = [phrase for phrase in side.answers if phrase in after.answers]
            if not shared:
                return None
            changes = [_ratio(after.answers[phrase]) - _ratio(side.answers[phrase]) for phrase in shared]
            parts.append((side.sign, mean_change(changes)))
        return _combine(parts, (-1.0, 1.0) if len(parts) == 1 else (-2.0, 2.0)) if parts else None


def seeds_mean(figures: Sequence[Figure]) -> SeedMean | None:
    """Return the mean of a figure over the seeds of an arm; None where one of them has no value."""
    estimates = [figure.estimate() for figure in figures]
    known = [estimate for estimate in estimates if estimate]
    return seed_mean(known, figures[0].limits) if known and len(known) == len(figures) else None


def seeds_change(before: Sequence[Figure], after: Sequence[Figure]) -> SeedChange | None:
    """Return the change of the mean over seeds from one arm to another; None where a run has no value."""
    paired = [first.change(second) for first in before for second in after]
    ends = [[figure.estimate() for figure in figures] for figures in (before, after)]
    known = [estimate for estimate in paired if estimate]
    first, second = ([estimate[0] for estimate in side if estimate] for side in ends)
    if not known or len(known) < len(paired) or len(first) < len(before) or len(second) < len(after):
        return None
    return seed_change(first, second, known)


def cluster_ratio(answers: Answers) -> Estimate:
    """Return the mean over phrases of what counts of their answers, with Wilson's interval.

    The number in it is that of independent answers that would vary as much as the phrases do (`effective_count`).
    """
    mean, effective = fmean(map(_ratio, answers.values())), effective_count(answers, by_cluster=True)
    interval = wilson_interval(mean * effective, effective)
    assert interval  # there is an answer
    return mean, interval


def mean_change(changes: Sequence[float]) -> Estimate:
    """Return the mean change over phrases, with Student's interval.

    Where no phrase changes in another way than the rest, there is no variance to go by: then the interval reaches as
    far as the upper end of Wilson's for none of so many.
    """
    k, mean = len(changes), fmean(changes)
    spread = stdev(changes) if k > 1 else 0.0
    none_of = wilson_interval(0, k)
    assert none_of
    margin = student_quantile(k - 1) * spread / sqrt(k) if spread else none_of[1]
    return mean, (mean - margin, mean + margin)


def _combine(parts: Sequence[tuple[int, Estimate]], limits: Interval) -> Estimate:
    """Return the sum of independent estimates, with an interval from theirs (MOVER: Zou and Donner 2008)."""
    value = sum(sign * mean for sign, (mean, _) in parts)
    margins = [
        (mean - low, high - mean) if sign > 0 else (high - mean, mean - low) for sign, (mean, (low, high)) in parts
    ]
    below, above = (hypot(*each) for each in zip(*margins, strict=True))
    return value, (max(limits[0], value - below), min(limits[1], value + above))


def _ratio(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
