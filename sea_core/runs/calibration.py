"""What people's labels of a sample say about a judge, and about a ratio that the judge alone gets wrong.

Every item has the judge's verdict; a few have a label too. They are a stratified sample: a label stands for as many
items as its stratum has for each of its labels. Within the items of one verdict the labels give the ratio of true
ones, with Wilson's interval for their effective number (Kish 1965). All else is a function of these two ratios and of
how often each verdict occurs. Its interval combines theirs (MOVER, Zou and Donner 2008) with the variance between
clusters, because the items themselves are a sample of those that could have been asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

from sea_core.runs.statistics import Z, wilson_interval

MIN_LABELS = 10
"""With fewer labels nothing is estimated."""
STEP = 1e-4
"""Of the numerical derivatives."""


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """An item with a judge's verdict.

    Attributes:
        verdict: whether the judge counts it.
        stratum: of the sampling. A stratum without labels counts as the other items of the same verdict do.
        cluster: items of one cluster are not independent of each other.
        label: whether it truly counts, from 0 to 1 where people disagree; None if nobody has labelled it.
    """

    verdict: bool
    stratum: Hashable
    cluster: Hashable
    label: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio from labels, with its 95 % confidence interval.

    Attributes:
        more_labels: how many more labels would halve the interval; None if no number would, because so few items, or
            clusters of them, alone make it wide.
    """

    value: float
    interval: tuple[float, float]
    more_labels: int | None


@dataclass(frozen=True, slots=True)
class _Ratios:
    """What everything is computed from.

    Attributes:
        true: the ratio of true items among those that the judge does not count, and among those that it counts.
        counted: the ratio of items that the judge counts.
    """

    true: tuple[float, float]
    counted: float


@dataclass(frozen=True, slots=True)
class _TrueRatio:
    """The ratio of true items among those of one verdict, as far as labels tell it."""

    value: float
    interval: tuple[float, float]


_Function: TypeAlias = Callable[[_Ratios], float | None]


def sensitivity(items: Iterable[JudgedItem]) -> Estimate | None:
    """Return how many of the true items the judge counts; None with too few labels, or none of a true item."""
    return _estimate(_sensitivity, list(items))


def specificity(items: Iterable[JudgedItem]) -> Estimate | None:
    """Return how many of the untrue items the judge does not count; None as for `sensitivity`."""
    return _estimate(_specificity, list(items))


def prediction_powered(items: Iterable[JudgedItem]) -> Estimate | None:
    """Return the true ratio by PPI++ with power tuning (Angelopoulos, Duchi and Zrnic 2023).

    For a judge that says yes or no, that is the ratio of true items of each verdict, weighted by how often it occurs.
    It assumes nothing of the judge. None with too few labels.
    """
    return _estimate(_true_ratio, list(items))


def rogan_gladen(items: Iterable[JudgedItem]) -> Estimate | None:
    """Return the true ratio from the judge's, its sensitivity and its specificity (Rogan and Gladen 1978).

    Where the labels are a sample of the same items, it is the same number as the prediction-powered one. None with too
    few labels, or where it is undefined: sensitivity + specificity <= 1, a judge that is no better than chance.
    """
    return _estimate(_rogan_gladen, list(items))


def _sensitivity(ratios: _Ratios) -> float | None:
    counted, missed = ratios.counted * ratios.true[1], (1 - ratios.counted) * ratios.true[0]
    return counted / (counted + missed) if counted + missed else None


def _specificity(ratios: _Ratios) -> float | None:
    wrong, right = ratios.counted * (1 - ratios.true[1]), (1 - ratios.counted) * (1 - ratios.true[0])
    return right / (right + wrong) if right + wrong else None


def _true_ratio(ratios: _Ratios) -> float:
    return (1 - ratios.counted) * ratios.true[0] + ratios.counted * ratios.true[1]


def _rogan_gladen(ratios: _Ratios) -> float | None:
    found, excluded = _sensitivity(ratios), _specificity(ratios)
    if found is None or excluded is None or found + excluded <= 1:
        return None
    return (ratios.counted + excluded - 1) / (found + excluded - 1)


def _estimate(function: _Function, items: Sequence[JudgedItem]) -> Estimate | None:
    """Return a function of the ratios with its interval; None with too few labels, or where it is undefined."""
    labels = sum(item.label is not None for item in items)
    if labels < MIN_LABELS:
        return None
    untrue, true = _true_ratios(items)
    ratios = _Ratios((untrue.value, true.value), sum(item.verdict for item in items) / len(items))
    value = function(ratios)
    if value is None:
        return None
    below, above = _label_spread(function, ratios, value, (untrue.interval, true.interval))
    between = Z**2 * _cluster_variance(items, ratios.counted, _slope(function, ratios))
    interval = max(0.0, value - sqrt(below + between)), min(1.0, value + sqrt(above + between))
    return Estimate(value, interval, _labels_to_halve(labels, (below + above) / 2, between, len(items)))


def _true_ratios(items: Sequence[JudgedItem]) -> list[_TrueRatio]:
    """Return the ratio of true items among those that are not counted, and among those that are."""
    labels = [list(_weighted_labels(items, verdict)) for verdict in (False, True)]
    means = [_weighted_mean(each) for each in labels]
    residuals = ((item, weight * (label - means[item.verdict])) for each in labels for item, weight, label in each)
    effect = _cluster_effect(residuals)
    found = []
    for each, mean in zip(labels, means, strict=True):
        weights = [weight for _, weight, _ in each]
        number = sum(weights) ** 2 / sum(weight**2 for weight in weights) / effect if each else 0.0
        found.append(_TrueRatio(mean, wilson_interval(mean * number, number) or (0.0, 1.0)))
    return found


def _weighted_mean(labels: Sequence[tuple[JudgedItem, float, float]]) -> float:
    """Return the ratio of true items; one half, with nothing known, where a verdict has no label."""
    total = sum(weight for _, weight, _ in labels)
    return sum(weight * label for _, weight, label in labels) / total if labels else 0.5


def _weighted_labels(items: Sequence[JudgedItem], verdict: bool) -> Iterator[tuple[JudgedItem, float, float]]:
    """Yield each labelled item with a verdict, how many items of its stratum it stands for, and its label."""
    sizes = Counter(item.stratum for item in items)
    labelled = Counter(item.stratum for item in items if item.label is not None)
    for item in items:
        if item.label is not None and item.verdict is verdict:
            yield item, sizes[item.stratum] / labelled[item.stratum], item.label


def _cluster_effect(residuals: Iterable[tuple[JudgedItem, float]]) -> float:
    """Return by how much the labels' clusters multiply the variance; at least 1."""
    sums, squares = defaultdict[Hashable, float](float), 0.0
    for item, residual in residuals:
        sums[item.cluster] += residual
        squares += residual**2
    return max(1.0, sum(each**2 for each in sums.values()) / squares) if squares else 1.0


def _label_spread(
    function: _Function, ratios: _Ratios, value: float, intervals: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Return the squared distances from the value to both ends of its interval, as far as labels are the reason."""
    below = above = 0.0
    for verdict, interval in enumerate(intervals):
        changes = []
        for limit in interval:
            true = (limit, ratios.true[1]) if verdict == 0 else (ratios.true[0], limit)
            moved = function(_Ratios(true, ratios.counted))
            changes += [-value, 1 - value] if moved is None else [moved - value]  # undefined: it could be anything
        below += min(0.0, *changes) ** 2
        above += max(0.0, *changes) ** 2
    return below, above


def _slope(function: _Function, ratios: _Ratios) -> float:
    """Return the derivative of a function by how often the judge counts an item."""
    low, high = max(0.0, ratios.counted - STEP), min(1.0, ratios.counted + STEP)
    below, above = (function(_Ratios(ratios.true, counted)) for counted in (low, high))
    return 0.0 if below is None or above is None else (above - below) / (high - low)


def _cluster_variance(items: Sequence[JudgedItem], counted: float, slope: float) -> float:
    """Return the variance that the choice of the clusters gives a function, to first order."""
    sums = defaultdict[Hashable, float](float)
    for item in items:
        sums[item.cluster] += slope * (item.verdict - counted) / len(items)
    k = len(sums)
    return k / (k - 1) * sum(each**2 for each in sums.values()) if k > 1 else 0.0


def _labels_to_halve(labels: int, by_labels: float, between: float, items: int) -> int | None:
    """Return how many more labels would make the interval half as wide: only a part of it depends on their number."""
    remaining = (by_labels + between) / 4 - between
    more = ceil(labels * (by_labels / remaining - 1)) if remaining > 0 else items
    return more if labels + more <= items else None
