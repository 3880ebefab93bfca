"""What people's labels of a sample say about a judge, and about a ratio that the judge alone gets wrong.

Every item has the judge's verdict; a few have a label too. They are a stratified sample: a label stands for as many
items as its stratum has for each of its labels. Three ratios are measured: the true items among those that the judge
does not count, the same among those that it counts, and how many it counts. Each has Wilson's interval for its
effective number, which weights (Kish 1965), clusters and few degrees of freedom (Korn and Graubard 1998) make smaller.
All else is a function of the three, and its interval combines theirs (MOVER, Zou and Donner 2008).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

from sea_core.runs.statistics import Z, student_quantile, wilson_interval

MIN_LABELS = 10
"""With fewer labels nothing is estimated."""
CHANCE = 1 + 1e-9
"""Sensitivity + specificity of a judge that is no better than chance, with what rounding may add."""


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
class RatioEstimate:
    """A ratio from labels, with its 95 % confidence interval.

    Attributes:
        more_labels: how many more labels would halve the interval; None if no number would, because so few items, or
            clusters of them, alone make it wide.
    """

    value: float
    interval: tuple[float, float]
    more_labels: int | None


@dataclass(frozen=True, slots=True)
class _Ratio:
    """A ratio with its 95 % interval."""

    value: float
    interval: tuple[float, float]


_Function: TypeAlias = Callable[[float, float, float], float | None]
"""Of the ratio of true items among those that the judge does not count, the same among those that it counts, and the
ratio of items that it counts."""


def sensitivity(items: Iterable[JudgedItem]) -> RatioEstimate | None:
    """Return how many of the true items the judge counts; None with too few labels, or none of a true item."""
    return _estimate(_sensitivity, list(items))


def specificity(items: Iterable[JudgedItem]) -> RatioEstimate | None:
    """Return how many of the untrue items the judge does not count; None as for `sensitivity`."""
    return _estimate(_specificity, list(items))


def prediction_powered(items: Iterable[JudgedItem]) -> RatioEstimate | None:
    """Return the true ratio by PPI++ with power tuning (Angelopoulos, Duchi and Zrnic 2023).

    For a judge that says yes or no, that is the ratio of true items of each verdict, weighted by how often it occurs.
    It assumes nothing of the judge. None with too few labels.
    """
    return _estimate(_true_ratio, list(items))


def rogan_gladen(items: Iterable[JudgedItem]) -> RatioEstimate | None:
    """Return the true ratio from the judge's, its sensitivity and its specificity (Rogan and Gladen 1978).

    Where the labels are a sample of the same items, it is the same number as the prediction-powered one. None with too
    few labels, or where it is undefined: sensitivity + specificity <= 1, a judge that is no better than chance.
    """
    return _estimate(_rogan_gladen, list(items))


def _sensitivity(missed: float, right: float, counted: float) -> float | None:
    found, lost = counted * right, (1 - counted) * missed
    return found / (found + lost) if found + lost else None


def _specificity(missed: float, right: float, counted: float) -> float | None:
    wrong, excluded = counted * (1 - right), (1 - counted) * (1 - missed)
    return excluded / (excluded + wrong) if excluded + wrong else None


def _true_ratio(missed: float, right: float, counted: float) -> float:
    return (1 - counted) * missed + counted * right


def _rogan_gladen(missed: float, right: float, counted: float) -> float | None:
    found, excluded = _sensitivity(missed, right, counted), _specificity(missed, right, counted)
    if found is None or excluded is None or found + excluded <= CHANCE:
        return None
    return (counted + excluded - 1) / (found + excluded - 1)


def _estimate(function: _Function, items: Sequence[JudgedItem]) -> RatioEstimate | None:
    """Return a function of the ratios with its interval; None with too few labels, or where it is undefined."""
    labels = sum(item.label is not None for item in items)
    if labels < MIN_LABELS:
        return None
    ratios = [*_true_ratios(items), _counted_ratio(items)]
    values = [ratio.value for ratio in ratios]
    value = function(*values)
    if value is None:
        return None
    *by_labels, by_items = [_squared_changes(function, value, values, i, ratios[i].interval) for i in range(3)]
    below, above = (sqrt(sum(each[side] for each in (*by_labels, by_items))) for side in (0, 1))
    more = _labels_to_halve(labels, sum(map(sum, by_labels)), sum(by_items), len(items))
    return RatioEstimate(value, (max(0.0, value - below), min(1.0, value + above)), more)


def _true_ratios(items: Sequence[JudgedItem]) -> list[_Ratio]:
    """Return the ratio of true items among those that are not counted, and among those that are."""
    labels = [list(_weighted_labels(items, verdict)) for verdict in (False, True)]
    means = [_weighted_mean(each) for each in labels]
    residuals = ((item, weight * (label - means[item.verdict])) for each in labels for item, weight, label in each)
    loss = _cluster_effect(residuals) * (student_quantile(sum(map(len, labels)) - 2) / Z) ** 2
    found = []
    for each, mean in zip(labels, means, strict=True):
        weights = [weight for _, weight, _ in each]
        number = sum(weights) ** 2 / sum(weight**2 for weight in weights) / loss if each else 0.0
        found.append(_Ratio(mean, wilson_interval(mean * number, number) or (0.0, 1.0)))
    return found


def _counted_ratio(items: Sequence[JudgedItem]) -> _Ratio:
    """Return the ratio of items that the judge counts, in the world that the clusters of items are drawn from."""
    mean = sum(item.verdict for item in items) / len(items)
    number = len(items) / _cluster_effect((item, item.verdict - mean) for item in items)
    return _Ratio(mean, wilson_interval(mean * number, number) or (0.0, 1.0))


def _weighted_labels(items: Sequence[JudgedItem], verdict: bool) -> Iterator[tuple[JudgedItem, float, float]]:
    """Yield each labelled item with a verdict, how many items of its stratum it stands for, and its label."""
    sizes = Counter(item.stratum for item in items)
    labelled = Counter(item.stratum for item in items if item.label is not None)
    for item in items:
        if item.label is not None and item.verdict is verdict:
            yield item, sizes[item.stratum] / labelled[item.stratum], item.label


def _weighted_mean(labels: Sequence[tuple[JudgedItem, float, float]]) -> float:
    """Return the ratio of true items; one half, with nothing known, where a verdict has no label."""
    total = sum(weight for _, weight, _ in labels)
    return sum(weight * label for _, weight, label in labels) / total if labels else 0.5


def _cluster_effect(residuals: Iterable[tuple[JudgedItem, float]]) -> float:
    """Return by how much clusters multiply the variance; at least 1."""
    sums, squares = defaultdict[Hashable, float](float), 0.0
    for item, residual in residuals:
        sums[item.cluster] += residual
        squares += residual**2
    return max(1.0, sum(each**2 for each in sums.values()) / squares) if squares else 1.0


def _squared_changes(
    function: _Function, value: float, values: Sequence[float], i: int, interval: tuple[float, float]
) -> tuple[float, float]:
    """Return the squares of how far a function falls, and rises, when one ratio moves through its interval."""
    changes = []
    for limit in interval:
        moved = list(values)
        moved[i] = limit
        changed = function(*moved)
        changes += [-value, 1 - value] if changed is None else [changed - value]  # undefined: it could be anything
    return min(0.0, *changes) ** 2, max(0.0, *changes) ** 2


def _labels_to_halve(labels: int, by_labels: float, by_items: float, items: int) -> int | None:
    """Return how many more labels would make the interval half as wide: only a part of it depends on their number."""
    remaining = (by_labels + by_items) / 4 - by_items
    more = ceil(labels * (by_labels / remaining - 1)) if remaining > 0 else items
    return more if labels + more <= items else None
