"""What people's labels of a sample say about a judge, and about a ratio that the judge alone gets wrong.

Every item has the judge's verdict; a few have a label too. They are a stratified sample: a label stands for as many
items as its stratum has for each of its labels. Three ratios are measured: the true items among those that the judge
does not count, the same among those that it counts, and how many it counts. Each has Wilson's interval for its
effective number, which weights (Kish 1965), clusters and few degrees of freedom (Korn and Graubard 1998) make smaller.
All else is a function of the three, and its interval combines theirs (MOVER, Zou and Donner 2008).

Labels may be wrong themselves, at rates that are known. Then the first two ratios are those of the labels, and the
function takes the errors out first; that the rates are uncertain makes its interval wider.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

from sea_core.runs.label_errors import NO_ERRORS, LabelErrors, without_errors
from sea_core.runs.statistics import (
    Interval,
    MeasuredRatio,
    Z,
    continuity_corrected_interval,
    student_quantile,
    wilson_interval,
)

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
        label: whether it counts by its labels, from 0 to 1 where people disagree; None if nobody has labelled it.
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
            clusters of them, alone make it wide, or because too little is known of the labels' error rates.
        is_limited_by_errors: whether those rates alone would keep it from being half as wide.
    """

    value: float
    interval: Interval
    more_labels: int | None
    is_limited_by_errors: bool = False


_Function: TypeAlias = Callable[[float, float, float], float | None]
"""Of the ratio of true items among those that the judge does not count, the same among those that it counts, and the
ratio of items that it counts."""
_OfMeasured: TypeAlias = Callable[[Sequence[float]], float | None]
"""Of what is measured: the same ratios of items that are labelled true, and the error rates of the labels."""


def sensitivity(items: Iterable[JudgedItem], errors: LabelErrors = NO_ERRORS) -> RatioEstimate | None:
    """Return how many of the true items the judge counts; None with too few labels, or none of a true item."""
    return _estimate(_sensitivity, list(items), errors)


def specificity(items: Iterable[JudgedItem], errors: LabelErrors = NO_ERRORS) -> RatioEstimate | None:
    """Return how many of the untrue items the judge does not count; None as for `sensitivity`."""
    return _estimate(_specificity, list(items), errors)


def prediction_powered(items: Iterable[JudgedItem], errors: LabelErrors = NO_ERRORS) -> RatioEstimate | None:
    """Return the true ratio by PPI++ with power tuning (Angelopoulos, Duchi and Zrnic 2023).

    For a judge that says yes or no, that is the ratio of true items of each verdict, weighted by how often it occurs.
    It assumes nothing of the judge. None with too few labels, or if the labels contradict their error rates.

    Args:
        errors: how often a label is wrong.
    """
    return _estimate(_true_ratio, list(items), errors)


def rogan_gladen(items: Iterable[JudgedItem], errors: LabelErrors = NO_ERRORS) -> RatioEstimate | None:
    """Return the true ratio from the judge's, its sensitivity and its specificity (Rogan and Gladen 1978).

    Where the labels are a sample of the same items, it is the same number as the prediction-powered one. None with too
    few labels, or where it is undefined: sensitivity + specificity <= 1, a judge that is no better than chance.
    """
    return _estimate(_rogan_gladen, list(items), errors)


def _sensitivity(missed: float, right: float, counted: float) -> float | None:
    found, lost = counted * right, (1 - counted) * missed
    return found / (found + lost) if found + lost > 0 else None


def _specificity(missed: float, right: float, counted: float) -> float | None:
    wrong, excluded = counted * (1 - right), (1 - counted) * (1 - missed)
    return excluded / (excluded + wrong) if excluded + wrong > 0 else None


def _true_ratio(missed: float, right: float, counted: float) -> float:
    return (1 - counted) * missed + counted * right


def _rogan_gladen(missed: float, right: float, counted: float) -> float | None:
    found, excluded = _sensitivity(missed, right, counted), _specificity(missed, right, counted)
    if found is None or excluded is None or found + excluded <= CHANCE:
        return None
    return (counted + excluded - 1) / (found + excluded - 1)


def _estimate(function: _Function, items: Sequence[JudgedItem], errors: LabelErrors) -> RatioEstimate | None:
    """Return a function of the ratios with its interval.

    None with too few labels, where it is undefined, and where no true ratio would give such labels with such errors.
    """
    labels = sum(item.label is not None for item in items)
    if labels < MIN_LABELS:
        return None
    ratios = [*_labelled_ratios(items, errors), _counted_ratio(items), *errors.parameters]
    values, of_measured = [ratio.value for ratio in ratios], _of_measured(function)
    value = of_measured(values)
    if value is None:
        return None
    changes = [_squared_changes(of_measured, value, values, i, ratio.interval) for i, ratio in enumerate(ratios)]
    below, above = (sqrt(sum(each[side] for each in changes)) for side in (0, 1))
    if value - below > 1 or value + above < 0:
        return None
    by_labels, by_items, by_errors = (sum(map(sum, part)) for part in (changes[:2], changes[2:3], changes[3:]))
    more = _labels_to_halve(labels, by_labels, by_items + by_errors, len(items))
    is_limited = by_errors > (by_labels + by_items + by_errors) / 4
    return RatioEstimate(_limit(value), (_limit(value - below), _limit(value + above)), more, is_limited)


def _of_measured(function: _Function) -> _OfMeasured:
    """Return a function that takes the errors out of the labels first."""

    def of_measured(values: Sequence[float]) -> float | None:
        labelled_missed, labelled_right, counted, *rates = values
        missed, right = (without_errors(each, rates[0], rates[-1]) for each in (labelled_missed, labelled_right))
        return None if missed is None or right is None else function(missed, right, counted)

    return of_measured


def _limit(value: float) -> float:
    return min(1.0, max(0.0, value))


def _labelled_ratios(items: Sequence[JudgedItem], errors: LabelErrors) -> list[MeasuredRatio]:
    """Return the ratio of items that are labelled true among those that are not counted, and among those that are.

    Labels that may be wrong are not all true where all items are: there Wilson's interval is too short.
    """
    labels = [list(_weighted_labels(items, verdict)) for verdict in (False, True)]
    means = [_weighted_mean(each) for each in labels]
    residuals = ((item, weight * (label - means[item.verdict])) for each in labels for item, weight, label in each)
    loss = _cluster_effect(residuals) * (student_quantile(sum(map(len, labels)) - 2) / Z) ** 2
    interval = continuity_corrected_interval if errors.are_possible else wilson_interval
    found = []
    for each, mean in zip(labels, means, strict=True):
        weights = [weight for _, weight, _ in each]
        number = sum(weights) ** 2 / sum(weight**2 for weight in weights) / loss if each else 0.0
        found.append(MeasuredRatio(mean, interval(mean * number, number) or (0.0, 1.0)))
    return found


def _counted_ratio(items: Sequence[JudgedItem]) -> MeasuredRatio:
    """Return the ratio of items that the judge counts, in the world that the clusters of items are drawn from."""
    mean = sum(item.verdict for item in items) / len(items)
    number = len(items) / _cluster_effect((item, item.verdict - mean) for item in items)
    return MeasuredRatio(mean, wilson_interval(mean * number, number) or (0.0, 1.0))


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
    of_measured: _OfMeasured, value: float, values: Sequence[float], i: int, interval: Interval
) -> tuple[float, float]:
    """Return the squares of how far a function falls, and rises, when one ratio moves through its interval."""
    changes = []
    for limit in interval:
        moved = list(values)
        moved[i] = limit
        changed = of_measured(moved)
        changes += [-value, 1 - value] if changed is None else [changed - value]  # undefined: it could be anything
    return min(0.0, *changes) ** 2, max(0.0, *changes) ** 2


def _labels_to_halve(labels: int, by_labels: float, by_others: float, items: int) -> int | None:
    """Return how many more labels would make the interval half as wide: only a part of it depends on their number."""
    remaining = (by_labels + by_others) / 4 - by_others
    more = ceil(labels * (by_labels / remaining - 1)) if remaining > 0 else items
    return more if labels + more <= items else None
