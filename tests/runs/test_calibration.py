"""Ratios corrected by people's labels: against glide-py, by their properties, and with simulated repetitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.runs.calibration import (
    MIN_LABELS,
    JudgedItem,
    RatioEstimate,
    prediction_powered,
    rogan_gladen,
    sensitivity,
    specificity,
)
from sea_core.runs.statistics import wilson_interval

Cells = dict[tuple[str, bool, float | None], int]
ONE_STRATUM: Cells = {
    ("a", True, 1.0): 34,
    ("a", True, 0.0): 6,
    ("a", False, 1.0): 8,
    ("a", False, 0.0): 72,
    ("a", True, None): 360,
    ("a", False, None): 720,
}
TWO_STRATA: Cells = ONE_STRATUM | {
    ("b", True, 1.0): 20,
    ("b", True, 0.0): 20,
    ("b", False, 1.0): 3,
    ("b", False, 0.0): 37,
    ("b", True, None): 200,
    ("b", False, None): 200,
}
FIGURES: dict[str, Callable[[Sequence[JudgedItem]], RatioEstimate | None]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "Rogan-Gladen": rogan_gladen,
    "prediction-powered": prediction_powered,
}


def make_items(cells: Cells) -> list[JudgedItem]:
    """Return as many items as the cells (stratum, verdict, label) say, each a cluster of its own."""
    kinds = [cell for cell, count in cells.items() for _ in range(count)]
    return [JudgedItem(verdict, stratum, i, label) for i, (stratum, verdict, label) in enumerate(kinds)]


def known(estimate: RatioEstimate | None) -> RatioEstimate:
    assert estimate is not None
    return estimate


@pytest.mark.parametrize(
    ("cells", "value", "interval"),
    [
        # glide-py 0.11: PPIMeanEstimator().estimate(y_true, y_proxy)
        (ONE_STRATUM, 0.35, (0.2890918, 0.4109082)),
        # StratifiedPPIMeanEstimator().estimate(y_true, y_proxy, groups); ASIMeanEstimator gives .33214, .2793 to .3850
        (TWO_STRATA, 0.3321429, (0.2815833, 0.3827024)),
    ],
)
def test_the_prediction_powered_estimate_is_that_of_glide(
    cells: Cells, value: float, interval: tuple[float, float]
) -> None:
    found = known(prediction_powered(make_items(cells)))
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.interval == pytest.approx(interval, abs=0.006)  # Wilson's instead of the normal one


def test_sensitivity_and_specificity_weigh_the_labels_by_the_sampling() -> None:
    items = make_items(TWO_STRATA)
    # a label of stratum a stands for 10 items, one of stratum b for 6
    counts = {(v, y): 10 * TWO_STRATA["a", v, y] + 6 * TWO_STRATA["b", v, y] for v in (True, False) for y in (0.0, 1.0)}
    found, excluded = known(sensitivity(items)).value, known(specificity(items)).value
    assert found == pytest.approx(counts[True, 1.0] / (counts[True, 1.0] + counts[False, 1.0]))
    assert excluded == pytest.approx(counts[False, 0.0] / (counts[False, 0.0] + counts[True, 0.0]))
    by_judge = sum(item.verdict for item in items) / len(items)
    corrected = (by_judge + excluded - 1) / (found + excluded - 1)  # Rogan and Gladen 1978
    assert known(rogan_gladen(items)).value == pytest.approx(corrected)


cell = st.integers(1, 15)


@given(cell, cell, cell, cell, st.integers(0, 300), st.integers(0, 300))
def test_both_corrections_are_one_number(tp: int, fp: int, fn: int, tn: int, yes: int, no: int) -> None:
    cells: Cells = {
        ("yes", True, 1.0): tp,
        ("yes", True, 0.0): fp,
        ("no", False, 1.0): fn,
        ("no", False, 0.0): tn,
        ("yes", True, None): yes,
        ("no", False, None): no,
    }
    items = make_items(cells)
    powered, corrected = prediction_powered(items), rogan_gladen(items)
    if tp + fp + fn + tn < MIN_LABELS:
        assert powered is corrected is None
        return
    assert powered is not None
    assert 0 <= powered.interval[0] <= powered.value <= powered.interval[1] <= 1
    is_by_chance = tp * tn <= fp * fn
    assert (corrected is None) == is_by_chance
    if corrected is not None:
        assert corrected.value == pytest.approx(powered.value)
        assert corrected.interval[0] <= powered.interval[0] + 1e-9


def test_a_judge_that_is_no_better_than_chance_leaves_rogan_gladen_undefined() -> None:
    items = make_items({("a", True, 1.0): 5, ("a", True, 0.0): 15, ("a", False, 1.0): 10, ("a", False, 0.0): 10})
    assert known(sensitivity(items)).value + known(specificity(items)).value < 1
    assert rogan_gladen(items) is None
    assert known(prediction_powered(items)).value == pytest.approx(15 / 40)


def test_without_a_true_item_nothing_is_known_of_sensitivity() -> None:
    items = make_items({("a", True, 0.0): 10, ("a", False, 0.0): 10, ("a", False, None): 100})
    assert sensitivity(items) is None
    assert rogan_gladen(items) is None
    assert known(prediction_powered(items)).value == 0
    assert known(prediction_powered(items)).interval[1] > 0.05


def test_too_few_labels_estimate_nothing() -> None:
    items = make_items({("a", True, 1.0): 5, ("a", False, 0.0): 4, ("a", False, None): 50})
    assert [figure(items) for figure in FIGURES.values()] == [None] * 4


def test_with_every_item_labelled_the_interval_is_about_wilsons() -> None:
    items = make_items({("a", True, 1.0): 100, ("a", True, 0.0): 20, ("a", False, 1.0): 30, ("a", False, 0.0): 150})
    assert known(prediction_powered(items)).interval == pytest.approx(wilson_interval(130, 300), abs=0.01)


def test_a_verdict_without_labels_is_unknown() -> None:
    items = make_items({("a", False, 0.0): 20, ("a", False, None): 60, ("b", True, None): 20})
    found = known(prediction_powered(items))
    assert found.interval[0] < 0.02
    assert found.interval[1] > 0.19


def test_items_of_one_cluster_count_once() -> None:
    single = make_items({key: count // 2 for key, count in TWO_STRATA.items()})
    tripled = [item for item in single for _ in range(3)]
    for figure in FIGURES.values():
        once, thrice = known(figure(single)), known(figure(tripled))
        assert thrice.value == pytest.approx(once.value)
        width, tripled_width = (each.interval[1] - each.interval[0] for each in (once, thrice))
        assert tripled_width == pytest.approx(width, rel=0.1)


def test_so_many_more_labels_halve_the_interval() -> None:
    found = known(prediction_powered(make_items(ONE_STRATUM)))
    assert found.more_labels is not None
    factor = (120 + found.more_labels) / 120
    more = {cell: round(count * factor) for cell, count in ONE_STRATUM.items() if cell[2] is not None}
    rest = {("a", verdict, None): 400 + 400 * (not verdict) for verdict in (True, False)}
    for (_, verdict, _), count in more.items():
        rest["a", verdict, None] -= count
    halved = known(prediction_powered(make_items(more | rest)))
    width, half = (each.interval[1] - each.interval[0] for each in (found, halved))
    assert half == pytest.approx(width / 2, rel=0.03)
    few = known(prediction_powered(make_items({("a", True, 1.0): 20, ("a", False, 0.0): 10, ("a", False, None): 10})))
    assert few.more_labels is None  # all labels together would not do it


def test_people_who_disagree_count_half() -> None:
    halves = known(prediction_powered([JudgedItem(True, "a", i, 0.5) for i in range(20)]))
    assert halves.value == 0.5


def test_the_interval_covers_the_truth_where_labels_are_drawn_by_verdict() -> None:
    rng, covered = random.Random(5), 0
    for _ in range(300):
        truth = [rng.random() < 0.2 for _ in range(400)]
        verdicts = [rng.random() < (0.8 if each else 0.1) for each in truth]
        drawn = {
            i
            for verdict, count in ((True, 20), (False, 30))
            for i in rng.sample([i for i, each in enumerate(verdicts) if each is verdict], count)
        }
        items = [JudgedItem(v, v, i, float(truth[i]) if i in drawn else None) for i, v in enumerate(verdicts)]
        low, high = known(prediction_powered(items)).interval
        covered += low <= 0.2 <= high
    assert 0.92 <= covered / 300 <= 0.995
