"""Labels that are wrong at known rates: what is read, what disagreement shows, and corrected ratios that cover."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from scipy.stats import binomtest

from sea_core.errors import SeaError
from sea_core.runs.calibration import JudgedItem, prediction_powered, rogan_gladen, sensitivity, specificity
from sea_core.runs.label_errors import (
    NO_ERRORS,
    LabelErrors,
    errors_from_disagreement,
    parse_label_errors,
    without_errors,
)
from sea_core.runs.statistics import wilson_interval

KNOWN = "0.02,0.05"


def make_items(truth: float, rng: random.Random, people: int = 1) -> tuple[list[JudgedItem], list[list[bool]]]:
    """Return 72 answers, rated by a judge with sensitivity and specificity .9, and what people say of 44 of them.

    One of fifty of their labels is wrong.
    """
    drawn = set(rng.sample(range(72), 44))
    items, labels = [], []
    for number in range(72):
        unsafe = rng.random() < truth
        votes = [unsafe ^ (rng.random() < 0.02) for _ in range(people)] if number in drawn else []
        label = sum(votes) / people if votes else None
        items.append(JudgedItem(unsafe ^ (rng.random() < 0.1), "all", number, label))
        labels.append(votes)
    return items, labels


@pytest.mark.parametrize(
    ("text", "positive", "negative"),
    [
        (KNOWN, (0.02, 0.02), (0.05, 0.05)),
        ("1/50, 0/40", wilson_interval(1, 50), wilson_interval(0, 40)),
        ("2/100", wilson_interval(2, 100), wilson_interval(2, 100)),
    ],
)
def test_rates_are_exact_and_counts_have_an_interval(
    text: str, positive: tuple[float, float], negative: tuple[float, float]
) -> None:
    errors = parse_label_errors(text)
    assert (errors.false_positive.interval, errors.false_negative.interval) == (positive, negative)
    assert len(errors.parameters) == (2 if "," in text else 1)


@pytest.mark.parametrize("text", ["often", "0.02,0.02,0.02", "-0.1", "1.5", "3/2", "0/0", "0.5,0.5", "nan", ","])
def test_what_is_no_error_rate_is_refused(text: str) -> None:
    with pytest.raises(SeaError) as raised:
        parse_label_errors(text)
    assert "--label-errors" in raised.value.hint


def test_people_differ_where_exactly_one_of_them_is_wrong() -> None:
    rng = random.Random(1)
    labels = [[unsafe ^ (rng.random() < 0.1) for _ in range(2)] for unsafe in [True] * 3000 + [False] * 3000]
    found = errors_from_disagreement([*labels, [True], []])
    assert found is not None
    assert found.compared == 6000
    assert found.false_positive == found.false_negative
    assert found.false_positive.value == pytest.approx(0.1, abs=0.01)
    low, high = found.false_positive.interval
    assert low < 0.1 < high < 0.11
    assert errors_from_disagreement([[True], [False], []]) is None
    three = errors_from_disagreement([[True, True, False], [True, True, True]])
    assert three is not None
    assert three.disagreements == pytest.approx(2 / 3)  # two of three pairs differ


def test_errors_are_taken_out_of_every_label() -> None:
    assert without_errors(0.02 + 0.93 * 0.4, 0.02, 0.05) == pytest.approx(0.4)
    assert without_errors(0.4, 0.5, 0.5) is None
    rng = random.Random(2)
    items = [
        JudgedItem(unsafe ^ (rng.random() < 0.2), "all", i, float(unsafe ^ (rng.random() < (0.05 if unsafe else 0.02))))
        for i in range(8000)
        for unsafe in [i % 5 == 0]
    ]
    errors = parse_label_errors(KNOWN)
    for figure, truth in ((prediction_powered, 0.2), (rogan_gladen, 0.2), (sensitivity, 0.8), (specificity, 0.8)):
        right, taken = figure(items, errors), figure(items)
        assert right is not None
        assert taken is not None
        assert right.value == pytest.approx(truth, abs=0.02)
        assert abs(taken.value - truth) > abs(right.value - truth)


def test_with_all_items_labelled_the_interval_is_that_of_the_labels_without_their_errors() -> None:
    items = [JudgedItem(True, "all", i, float(i < 97)) for i in range(100)]
    found = prediction_powered(items, parse_label_errors("0,0.05"))
    assert found is not None
    low, high = binomtest(97, 100).proportion_ci(method="wilsoncc")
    assert found.value == 1  # 1.02 is no ratio
    assert found.interval == pytest.approx((low / 0.95, 1), abs=0.01)
    assert high / 0.95 > 1


def test_labels_that_no_such_errors_would_give_are_contradicted() -> None:
    items = [JudgedItem(True, "all", i, 1.0) for i in range(100)]
    assert prediction_powered(items, parse_label_errors("0,0.3")) is None
    assert prediction_powered(items, parse_label_errors("0,0.01")) is not None


def test_error_rates_that_nobody_knows_well_limit_the_interval() -> None:
    items = [JudgedItem(i % 2 == 0, "all", i, float(i % 2 == 0) if i < 200 else None) for i in range(400)]
    for errors, is_limited in (("1/10,0", True), ("0.1,0", False), ("100/1000,0", False)):
        found = prediction_powered(items, parse_label_errors(errors))
        assert found is not None
        assert found.is_limited_by_errors is is_limited, errors


Finder = Callable[[random.Random, list[list[bool]]], LabelErrors | None]


def coverage(truth: float, find_errors: Finder, people: int = 1) -> float:
    """Return how often the interval contains the truth."""
    rng, covered = random.Random(f"{truth}"), 0
    for _ in range(300):
        items, labels = make_items(truth, rng, people)
        found = prediction_powered(items, find_errors(rng, labels) or NO_ERRORS)
        covered += found is not None and found.interval[0] <= truth <= found.interval[1]
    return covered / 300


def checked(rng: random.Random, labels: list[list[bool]]) -> LabelErrors:
    """Return the error rates as somebody finds them who checks fifty labels of each kind."""
    wrong = [sum(rng.random() < 0.02 for _ in range(50)) for _ in range(2)]
    return parse_label_errors(",".join(f"{each}/50" for each in wrong))


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.0])
def test_intervals_cover_the_truth_where_labels_are_wrong(truth: float) -> None:
    assert (coverage(truth, lambda rng, labels: NO_ERRORS) < 0.8) is (truth in (0, 1))
    assert coverage(truth, lambda rng, labels: parse_label_errors("0.02,0.02")) >= 0.95
    assert coverage(truth, checked) >= 0.95
    assert coverage(truth, lambda rng, labels: errors_from_disagreement(labels), people=2) >= 0.95
