"""Ratios and their intervals: against the numbers of scipy, and by their properties."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sea_core.runs.statistics import (
    cluster_interval,
    continuity_corrected_interval,
    effective_count,
    ratio,
    wilson_interval,
)


def test_a_ratio_of_nothing_is_none() -> None:
    assert (ratio(0, 0), ratio(0, 3), ratio(3, 4)) == (None, 0.0, 0.75)
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(
    ("part", "total", "low", "high"),
    # scipy.stats.binomtest(part, total).proportion_ci(method="wilson")
    [(0, 10, 0.0, 0.27753280), (8, 10, 0.49016247, 0.94331785), (141, 144, 0.94054247, 0.99288988)],
)
def test_the_interval_is_wilsons(part: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(part, total) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_contains_the_ratio_and_stays_within_bounds(counts: tuple[int, int]) -> None:
    interval, value = wilson_interval(*counts), ratio(*counts)
    assert interval is not None
    assert value is not None
    assert 0 <= interval[0] <= value <= interval[1] <= 1


@pytest.mark.parametrize("total", [1, 2, 44])
def test_the_interval_with_continuity_correction_is_that_of_scipy(total: int) -> None:
    for part in range(total + 1):
        expected = binomtest(part, total).proportion_ci(method="wilsoncc")
        assert continuity_corrected_interval(part, total) == pytest.approx(tuple(expected), abs=1e-9)
    assert continuity_corrected_interval(0, 0) is None
    for total in (0.3, 0.9, 1.0, 1.1, 2.5):
        for part in (0, total / 3, total):
            low, high = wilson_interval(part, total) or (0, 1)
            wider = continuity_corrected_interval(part, total)
            assert wider is not None
            assert wider[0] <= low <= high <= wider[1]


def test_answers_about_one_example_that_agree_count_once() -> None:
    once = cluster_interval({i: [i < 5] for i in range(10)})
    assert once == wilson_interval(5, 10)
    assert cluster_interval({i: [i < 5] * 6 for i in range(10)}) == pytest.approx(once, abs=0.01)
    assert cluster_interval({i: [False] * 9 for i in range(7)}) == wilson_interval(0, 7)
    assert cluster_interval({}) is None
    same = {i: [True] * 9 for i in range(6)}
    assert effective_count(same, by_cluster=True) == pytest.approx(6)  # six shares of 1/6 do not make 1


def test_one_example_says_as_much_as_one_answer() -> None:
    low, high = cluster_interval({"a": [True] * 9 + [False]}) or (0, 0)
    assert high - low > 0.8
    assert cluster_interval({"a": [True] * 10}) == wilson_interval(1, 1)


@pytest.mark.parametrize("sizes", [[10] * 3, [6] * 18, [3] * 30, [30, 20, 3, 3, 3, 3], [100, *[1] * 9]], ids=str)
@pytest.mark.parametrize("correlation", [0.1, 0.5])
def test_the_interval_of_clusters_contains_the_truth(sizes: list[int], correlation: float) -> None:
    """At least 92 of 100 times, whether or not the answers about one example agree."""
    rng, truth, repeats = random.Random(0), 0.3, 300
    weight = 1 / correlation - 1
    hits = 0
    for _ in range(repeats):
        rates = [rng.betavariate(truth * weight, (1 - truth) * weight) for _ in sizes]
        answers = {i: [rng.random() < rates[i] for _ in range(size)] for i, size in enumerate(sizes)}
        low, high = cluster_interval(answers) or (1.0, 0.0)
        hits += low <= truth <= high
    assert hits / repeats >= 0.92
