"""Figures of a study: the mean over phrases, and intervals for which a phrase is one cluster."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import fmean

import pytest

from sea_bench.study.cluster_metrics import (
    AnswersByPhrase,
    ClusterMetric,
    Side,
    cluster_ratio,
    have_own_phrases,
    mean_change,
    seeds_change,
    seeds_mean,
)
from sea_core.runs.statistics import wilson_interval


def metric(harmful: Sequence[Sequence[bool | None]], benign: list[list[bool]] | None = None) -> ClusterMetric:
    """Return a metric of one side, or of two of which the second is subtracted."""
    sides = [Side(by_case(harmful))]
    return ClusterMetric((*sides, Side(by_case(benign), -1)) if benign else tuple(sides))


def by_case(answers: Sequence[Sequence[bool | None]]) -> AnswersByPhrase:
    return {i: dict(enumerate(each)) for i, each in enumerate(answers)}


def of_split(number: int, found: ClusterMetric) -> ClusterMetric:
    """Return a metric whose phrases and cases are in no other split."""
    sides = []
    for side in found.sides:
        answers = {
            (number, phrase): {(number, phrase, case): counts for case, counts in cases.items()}
            for phrase, cases in side.answers.items()
        }
        sides.append(Side(answers, side.sign))
    return ClusterMetric(tuple(sides))


def test_one_answer_a_phrase_gives_wilsons_interval() -> None:
    value, interval = cluster_ratio({i: [i < 3] for i in range(10)})
    expected = wilson_interval(3, 10)
    assert expected
    assert value == pytest.approx(0.3)
    assert interval == pytest.approx(expected, abs=0.01)


def test_answers_that_agree_within_phrases_count_once() -> None:
    alone = cluster_ratio({i: [i < 5] for i in range(10)})[1]
    repeated = cluster_ratio({i: [i < 5] * 6 for i in range(10)})[1]
    independent = cluster_ratio({i: [True, False] * 3 for i in range(10)})[1]
    assert repeated == pytest.approx(alone, abs=0.01)
    assert 0.35 < independent[0] < independent[1] < 0.65  # ten phrases say how far apart the answers are


def test_all_the_same_is_as_certain_as_there_are_phrases() -> None:
    assert cluster_ratio({i: [False] * 9 for i in range(7)}) == (0.0, wilson_interval(0, 7))


def test_interval_of_a_ratio_contains_the_truth_in_about_95_of_100() -> None:
    rng, hits = random.Random(0), 0
    for _ in range(400):
        answers = {}
        for i in range(14):
            p = rng.betavariate(1.5, 3.5)  # mean .3; phrases differ
            answers[i] = [rng.random() < p for _ in range(3)]
        low, high = cluster_ratio(answers)[1]
        hits += low <= 0.3 <= high
    assert 0.92 <= hits / 400 <= 0.99


def test_discrimination_is_the_difference_of_its_sides() -> None:
    found = metric([[True, True], [True, False]], [[False, False], [True, False]])
    estimate = found.estimate()
    assert estimate
    assert estimate[0] == pytest.approx(0.75 - 0.25)
    assert -1 <= estimate[1][0] < estimate[0] < estimate[1][1] <= 1
    assert metric([], [[True]]).estimate() is None


def test_change_is_paired_by_case() -> None:
    rng = random.Random(1)
    before = [[rng.random() < p for _ in range(6)] for p in (0.05, 0.2, 0.5, 0.8, 0.95) * 12]
    after = [[True, *answers[1:]] for answers in before]  # at most one answer of each phrase changes
    change = metric(before).change(metric(after))
    assert change
    assert change[0] == pytest.approx(fmean((not answers[0]) / 6 for answers in before))
    assert change[1][1] - change[1][0] < 0.15  # far less than the phrases differ among each other
    same = metric(before).change(metric(before))
    assert same
    assert same[0] == 0
    assert same[1][0] < 0 < same[1][1]


def test_phrases_that_only_one_run_has_do_not_count() -> None:
    first = ClusterMetric((Side({"a": {0: True}, "b": {0: False}}),))
    second = ClusterMetric((Side({"b": {0: True}, "c": {0: False}}),))
    change = first.change(second)
    assert change
    assert change[0] == 1
    assert first.change(ClusterMetric((Side({"c": {0: True}}),))) is None


def test_no_change_at_all_is_as_certain_as_there_are_phrases() -> None:
    upper = wilson_interval(0, 12)
    assert upper
    assert mean_change([0.0] * 12) == (0, (-upper[1], upper[1]))


@pytest.mark.parametrize("k", [1, 6, 14, 30])
def test_interval_of_a_change_does_not_shrink_where_a_phrase_differs(k: int) -> None:
    _, same = mean_change([0.0] * k)
    _, differs = mean_change([0.0] * (k - 1) + [-1 / 9])
    assert differs[1] - differs[0] >= same[1] - same[0]


def test_unrated_answers_do_not_change_a_figure() -> None:
    before = metric([[True, False]] * 40)  # two cases of each phrase: one counts
    after = metric([[None, False]] * 40)
    change = before.change(after)
    assert change
    assert change[0] == 0  # though the ratio of what is rated falls from .5 to 0
    assert (before.count_rated(), after.count_rated()) == ((80, 80), (40, 80))
    assert metric([[None]] * 3).estimate() is None


def test_change_of_a_difference_may_be_larger_than_one() -> None:
    before = [metric([[True]] * 20, [[False]] * 20)]
    after = [metric([[i < 5] for i in range(20)], [[i < 15] for i in range(20)])]
    change = seeds_change(before, after)
    assert change
    assert change.value == pytest.approx(-1.5)
    assert change.interval[0] < -1.5 < change.interval[1]


def test_seeds_that_differ_widen_the_interval() -> None:
    alike = [metric([[True], [False]] * 10)] * 3
    apart = [metric([[i < n] for i in range(20)]) for n in (4, 10, 16)]
    first, second = seeds_mean(alike), seeds_mean(apart)
    assert first
    assert second
    assert first.value == pytest.approx(second.value)
    assert second.interval[1] - second.interval[0] > 1.5 * (first.interval[1] - first.interval[0])
    assert seeds_mean([*alike, metric([])]) is None


def test_change_over_seeds_is_that_of_the_means() -> None:
    before = [metric([[i < n] for i in range(20)]) for n in (4, 6)]
    after = [metric([[i < n] for i in range(20)]) for n in (14, 16)]
    change = seeds_change(before, after)
    assert change
    assert change.value == pytest.approx(0.5)
    assert change.over_seeds
    assert seeds_change(before, [metric([])]) is None


def test_seeds_with_phrases_of_their_own_have_as_many_phrases_as_all_of_them() -> None:
    alike = [metric([[i < 5] for i in range(10)])] * 3
    own = [of_split(n, each) for n, each in enumerate(alike)]
    assert (have_own_phrases(alike), have_own_phrases(own), have_own_phrases(own[:1])) == (False, True, False)
    shared, split = seeds_mean(alike), seeds_mean(own)
    assert shared
    assert split
    assert split.value == shared.value == 0.5
    assert split.interval == pytest.approx(cluster_ratio({i: [i < 15] for i in range(30)})[1])
    assert split.interval[1] - split.interval[0] < 0.8 * (shared.interval[1] - shared.interval[0])


def test_change_between_seeds_with_phrases_of_their_own_is_paired_by_phrase() -> None:
    before = [of_split(n, metric([[True]] * 10, [[False]] * 10)) for n in range(3)]
    after = [of_split(n, metric([[True]] * 10, [[n == 0 and i == 0] for i in range(10)])) for n in range(3)]
    change = seeds_change(before, after)
    assert change
    assert change.value == pytest.approx(-1 / 30)
    assert -0.2 < change.interval[0] < change.interval[1] < 0.2  # a loss of .20 can be ruled out by so many phrases
    assert change.over_seeds
    assert change.interval[0] <= change.over_seeds[0]
    fewer = seeds_change(before[:1], after[:1])
    assert fewer
    assert fewer.interval[0] < -0.2


@pytest.mark.parametrize("seed_spread", [0.0, 0.15])
def test_interval_contains_the_truth_where_seeds_have_phrases_of_their_own(seed_spread: float) -> None:
    rng, covered, pooled = random.Random(3), 0, 0
    for _ in range(300):
        metrics = []
        for number in range(3):
            shift = rng.gauss(0, seed_spread)
            ratios = [min(1, max(0, rng.betavariate(2, 2) + shift)) for _ in range(10)]
            metrics.append(of_split(number, metric([[rng.random() < p for _ in range(9)] for p in ratios])))
        mean = seeds_mean(metrics)
        assert mean
        covered += mean.interval[0] <= 0.5 <= mean.interval[1]
        pooled += mean.over_cases[0] <= 0.5 <= mean.over_cases[1]
    assert covered / 300 >= 0.94
    assert not seed_spread or pooled / 300 < 0.92
