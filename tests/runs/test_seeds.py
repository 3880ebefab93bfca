"""The mean over seeds: both sources of doubt are in its interval, and seeds are no further cases."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from sea_core.runs.paired import Pair, paired_difference
from sea_core.runs.seeds import IntervalEstimate, seed_change, seed_mean
from sea_core.runs.statistics import mover_interval, student_quantile, wilson_interval


def estimate(hits: int, of: int) -> IntervalEstimate:
    interval = wilson_interval(hits, of)
    assert interval is not None
    return hits / of, interval


@pytest.mark.parametrize("degrees", [1, 2, 3, 5, 8, 23, 47, 200])
def test_the_quantile_is_students(degrees: int) -> None:
    assert student_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=0.01 if degrees > 2 else 1e-9)


def test_the_interval_over_seeds_is_students() -> None:
    mean = seed_mean([estimate(hits, 40) for hits in (10, 14, 18)])
    assert mean.values == (0.25, 0.35, 0.45)
    assert mean.spread == pytest.approx(0.1)
    expected = stats.t.interval(0.95, 2, loc=0.35, scale=stats.sem(mean.values))
    assert mean.over_seeds == pytest.approx(expected, rel=1e-6)


def test_the_interval_contains_that_over_cases_and_that_over_seeds() -> None:
    mean = seed_mean([estimate(hits, 40) for hits in (19, 20, 22)])
    assert mean.over_seeds is not None
    for part in (mean.over_seeds, mean.over_cases):
        assert mean.interval[0] < part[0] < mean.value < part[1] < mean.interval[1]


def test_the_same_answers_thrice_are_no_further_cases() -> None:
    once, thrice = (seed_mean([estimate(12, 40)] * n) for n in (1, 3))
    assert (once.spread, once.over_seeds) == (None, None)
    assert thrice.interval == pytest.approx(once.interval)
    assert thrice.over_seeds == pytest.approx((0.3, 0.3))


def test_a_change_has_the_spread_of_both_sides() -> None:
    paired = [(-0.3, (-0.4, -0.2))] * 6
    alone = seed_change([0.5], [0.2], paired[:1])
    assert alone.over_seeds is None
    assert alone.interval == alone.over_cases == pytest.approx((-0.4, -0.2))
    after = seed_change([0.5], [0.1, 0.2, 0.3], paired[:3])
    both = seed_change([0.45, 0.55], [0.1, 0.2, 0.3], paired)
    widths = [each.interval[1] - each.interval[0] for each in (alone, after, both)]
    assert widths == sorted(widths)
    assert both.detectable > after.detectable > alone.detectable == pytest.approx(0.1 * 2.8016 / 1.96, rel=1e-3)


@pytest.mark.parametrize(("cases", "seeds", "seed_spread"), [(48, 3, 0.0), (48, 3, 0.1), (24, 5, 0.1), (200, 3, 0.2)])
def test_the_interval_covers_the_true_change(cases: int, seeds: int, seed_spread: float) -> None:
    """Cases differ in how easily they are attacked, seeds in how much safer they make the model. On average: -.3."""
    rng = random.Random(cases + seeds)
    covered = pooled = 0
    for _ in range(600):
        before = [rng.random() < 0.6 for _ in range(cases)]
        easy = [rng.random() < 0.5 for _ in range(cases)]
        paired: list[IntervalEstimate] = []
        for _seed in range(seeds):
            shift = rng.gauss(0, seed_spread)
            kept = [(0.8 if e else 0.2) + shift for e in easy]
            found = paired_difference(Pair(b, b and rng.random() < k) for b, k in zip(before, kept, strict=True))
            assert found.value is not None
            assert found.interval is not None
            paired.append((found.value, found.interval))
        change = seed_change([0.6], [value for value, _ in paired], paired)
        covered += change.interval[0] <= -0.3 <= change.interval[1]
        pooled += change.over_cases[0] <= -0.3 <= change.over_cases[1]
    assert covered / 600 >= 0.945
    assert seed_spread < 0.2 or pooled / 600 < 0.9  # many cases do not make up for few seeds


def test_other_cases_are_as_uncertain_as_if_the_seeds_of_a_case_were_one_cluster() -> None:
    rng = random.Random(0)
    for _ in range(50):
        easy = [rng.random() for _ in range(60)]
        before = [rng.random() < 0.7 for _ in easy]
        seeds = [[b and rng.random() < e for b, e in zip(before, easy, strict=True)] for _ in range(3)]
        found = [paired_difference(Pair(*pair) for pair in zip(before, after, strict=True)) for after in seeds]
        change = seed_change([0.0], [0.0] * 3, [(f.value or 0.0, f.interval or (0.0, 0.0)) for f in found])
        pairs = (Pair(b, after[i], i) for after in seeds for i, b in enumerate(before))
        low, high = paired_difference(pairs).interval or (0.0, 0.0)
        width = change.over_cases[1] - change.over_cases[0]
        assert 0.95 <= width / (high - low) <= 3**0.5


def test_the_mean_of_changes_is_combined_from_theirs() -> None:
    """Zou and Donner: with symmetrical intervals, the variances add."""
    assert mover_interval([(0.2, (0.1, 0.3)), (-0.4, (-0.6, -0.2))], (-1.0, 1.0)) == pytest.approx(
        (-0.1 - 0.05**0.5 / 2, -0.1 + 0.05**0.5 / 2)
    )
    assert mover_interval([(-1.0, (-1.0, -0.5))], (-1.0, 1.0)) == (-1.0, -0.5)
