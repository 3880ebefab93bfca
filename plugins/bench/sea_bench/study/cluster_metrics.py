"""A metric of an arm, and its change to another arm, from values by phrase: phrases are the clusters.

A metric is a sum of sides, each the mean over phrases of a ratio of answers, added or subtracted: discrimination is
what is refused of harmful phrases, less what is refused of benign ones. All media, tasks and wordings of one phrase are
one cluster, since their answers are not independent. docs/explanation/statistics.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import fmean, stdev
from typing import Any

from sea_core.runs.seeds import (
    IntervalEstimate,
    SeedChange,
    SeedMean,
    own_cases_change,
    own_cases_mean,
    seed_change,
    seed_mean,
)
from sea_core.runs.statistics import Interval, effective_count, student_quantile, wilson_interval

AnswersByPhrase = Mapping[Hashable, Mapping[Hashable, bool | None]]
"""Whether each answer counts, by phrase and case; None: it is unrated."""


@dataclass(frozen=True)
class Side:
    """One side of a metric: the answers, and whether their ratio is added (1) or subtracted (-1)."""

    answers: AnswersByPhrase
    sign: int = 1

    def rated(self) -> dict[Hashable, dict[Hashable, bool]]:
        """Return the answers that are rated, of the phrases that have some."""
        rated = {
            phrase: {case: counts for case, counts in cases.items() if counts is not None}
            for phrase, cases in self.answers.items()
        }
        return {phrase: cases for phrase, cases in rated.items() if cases}

    def changes(self, other: Side) -> list[float]:
        """Return the change to another run of each phrase's ratio, over the cases that are rated in both."""
        changes, after = [], other.rated()
        for phrase, cases in self.rated().items():
            pairs = [(counts, after[phrase][case]) for case, counts in cases.items() if case in after.get(phrase, ())]
            if pairs:
                changes.append(fmean(second - first for first, second in pairs))
        return changes


@dataclass(frozen=True)
class ClusterMetric:
    """A metric of one run. It has no value where a side has no answers."""

    sides: tuple[Side, ...]

    @property
    def limits(self) -> Interval:
        """The smallest and the largest possible value."""
        return (-1.0 if any(side.sign < 0 for side in self.sides) else 0.0), 1.0

    @property
    def change_limits(self) -> Interval:
        """The smallest and the largest possible change."""
        low, high = self.limits
        return low - high, high - low

    def count_rated(self) -> tuple[int, int]:
        """Return how many answers are rated, and of how many."""
        every = [counts for side in self.sides for cases in side.answers.values() for counts in cases.values()]
        return sum(counts is not None for counts in every), len(every)

    def estimate(self) -> IntervalEstimate | None:
        """Return its value and 95 % interval; None where a side has no answers."""
        rated = [side.rated() for side in self.sides]
        if not rated or not all(rated):
            return None
        answers = [{phrase: list(cases.values()) for phrase, cases in each.items()} for each in rated]
        parts = [(side.sign, cluster_ratio(each)) for side, each in zip(self.sides, answers, strict=True)]
        return _combine(parts, self.limits)

    def change(self, other: ClusterMetric) -> IntervalEstimate | None:
        """Return the change to another run's metric, paired by case; None where they have no rated case in common."""
        parts = []
        for side, after in zip(self.sides, other.sides, strict=True):
            changes = side.changes(after)
            if not changes:
                return None
            parts.append((side.sign, mean_change(changes)))
        return _combine(parts, self.change_limits) if parts else None


def seeds_mean(metrics: Sequence[ClusterMetric]) -> SeedMean | None:
    """Return the mean of a metric over the seeds of an arm; None where one of them has no value."""
    estimates = [metric.estimate() for metric in metrics]
    known = [estimate for estimate in estimates if estimate]
    if not known or len(known) < len(metrics):
        return None
    pooled = pool(metrics).estimate() if have_own_phrases(metrics) else None
    if pooled:
        return own_cases_mean([value for value, _ in known], pooled, metrics[0].limits)
    return seed_mean(known, metrics[0].limits)


def seeds_change(before: Sequence[ClusterMetric], after: Sequence[ClusterMetric]) -> SeedChange | None:
    """Return the change of the mean over seeds from one arm to another; None where a run has no value.

    Seeds with phrases of their own are compared with those that have the same ones; else each with each.
    """
    ends = [[metric.estimate() for metric in metrics] for metrics in (before, after)]
    first, second = ([estimate[0] for estimate in side if estimate] for side in ends)
    if not first or not second or len(first) < len(before) or len(second) < len(after):
        return None
    paired = [first.change(second) for first in before for second in after]
    known = [estimate for estimate in paired if estimate]
    limits = before[0].change_limits
    if have_own_phrases(before) and have_own_phrases(after):
        pooled = pool(before).change(pool(after))
        return own_cases_change([value for value, _ in known], pooled, limits) if pooled else None
    return seed_change(first, second, known, limits) if known and len(known) == len(paired) else None


def have_own_phrases(metrics: Sequence[ClusterMetric]) -> bool:
    """Return whether there are several runs, and no phrase is in two of them."""
    phrases = [set().union(*(side.answers for side in metric.sides)) for metric in metrics]
    return len(metrics) > 1 and len(set().union(*phrases)) == sum(map(len, phrases))


def pool(metrics: Sequence[ClusterMetric]) -> ClusterMetric:
    """Return the metric over the phrases of several runs that have phrases of their own."""
    sides = zip(*(metric.sides for metric in metrics), strict=True)
    return ClusterMetric(
        tuple(
            Side({phrase: cases for each in of_runs for phrase, cases in each.answers.items()}, of_runs[0].sign)
            for of_runs in sides
        )
    )


def cluster_ratio(answers: Mapping[Any, Sequence[bool]]) -> IntervalEstimate:
    """Return the mean over phrases of what counts of their answers, with Wilson's interval.

    The number in it is that of independent answers that would vary as much as the phrases do (`effective_count`).
    """
    mean, effective = fmean(map(_ratio, answers.values())), effective_count(answers, by_cluster=True)
    interval = wilson_interval(mean * effective, effective)
    assert interval  # there is an answer
    return mean, interval


def mean_change(changes: Sequence[float]) -> IntervalEstimate:
    """Return the mean change over phrases, with Student's interval.

    It reaches at least as far as the upper end of Wilson's for none of so many: where few phrases differ from the rest,
    their variance says too little.
    """
    k, mean = len(changes), fmean(changes)
    student = student_quantile(k - 1) * stdev(changes) / sqrt(k) if k > 1 else 0.0
    none_of = wilson_interval(0, k)
    assert none_of
    margin = max(student, none_of[1])
    return mean, (mean - margin, mean + margin)


def _combine(parts: Sequence[tuple[int, IntervalEstimate]], limits: Interval) -> IntervalEstimate:
    """Return the sum of independent estimates, with an interval from theirs (MOVER: Zou and Donner 2008)."""
    value = sum(sign * mean for sign, (mean, _) in parts)
    margins = [
        (mean - low, high - mean) if sign > 0 else (high - mean, mean - low) for sign, (mean, (low, high)) in parts
    ]
    below, above = (hypot(*each) for each in zip(*margins, strict=True))
    return value, (max(limits[0], value - below), min(limits[1], value + above))


def _ratio(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
