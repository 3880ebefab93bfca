"""The paired change of a ratio, compared with scipy, with published examples, and with simulated repetitions."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sea_core.runs.paired import (
    Pair,
    PairedDifference,
    detectable_difference,
    mcnemar,
    newcombe_interval,
    paired_difference,
)

counts = st.integers(0, 60)


def difference(both: int, lost: int, gained: int, neither: int) -> PairedDifference:
    cells = {(True, True): both, (True, False): lost, (False, True): gained, (False, False): neither}
    return paired_difference(Pair(*cell) for cell, count in cells.items() for _ in range(count))


@given(counts, counts)
def test_the_test_is_the_exact_binomial_one(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost) == pytest.approx(expected)


def test_a_published_interval() -> None:
    """Newcombe 1998, table II: 36, 12, 2 and 0 of 50 give .0569 to .3404 for the first ratio less the second."""
    low, high = newcombe_interval(36, 12, 2, 0) or (0.0, 0.0)
    assert (-high, -low) == (pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5))


@given(counts, counts, counts, counts)
def test_the_interval_contains_the_change_and_turns_with_it(both: int, lost: int, gained: int, neither: int) -> None:
    found, turned = difference(both, lost, gained, neither), difference(both, gained, lost, neither)
    if not found.pairs:
        assert (found.value, found.interval, found.p, found.detectable) == (None,) * 4
        return
    assert found.value is not None
    assert found.interval is not None
    assert turned.interval is not None
    assert -1 <= found.interval[0] <= found.value <= found.interval[1] <= 1
    assert found.interval == pytest.approx((-turned.interval[1], -turned.interval[0]))


@pytest.mark.parametrize(("cases", "tasks"), [(24, 1), (48, 1), (24, 3), (48, 3)])
def test_the_interval_covers_the_true_change(cases: int, tasks: int) -> None:
    """Cases differ in how easily they are attacked, and the tasks of one case are alike. The true change is -.3."""
    rng = random.Random(cases + tasks)
    covered = 0
    for _ in range(1000):
        pairs = []
        for case in range(cases):
            easy = rng.random() < 0.6
            for _task in range(tasks):
                before = easy if rng.random() < 0.8 else rng.random() < 0.6
                pairs.append(Pair(before, before and rng.random() < 0.5, case))
        interval = paired_difference(pairs).interval
        assert interval is not None
        covered += interval[0] <= -0.3 <= interval[1]
    assert 0.92 <= covered / 1000 <= 0.98


def test_items_of_one_cluster_count_once() -> None:
    single = paired_difference(Pair(i % 2 == 0, False, i) for i in range(30))
    tripled = paired_difference(Pair(i % 2 == 0, False, i) for i in range(30) for _ in range(3))
    assert (single.pairs, tripled.pairs, tripled.clusters) == (30, 90, 30)
    assert single.value == tripled.value == -0.5
    assert single.interval is not None
    assert tripled.interval is not None
    widths = [interval[1] - interval[0] for interval in (single.interval, tripled.interval)]
    assert widths[1] == pytest.approx(widths[0], rel=0.2)
    assert tripled.p is not None
    assert tripled.p > 0.00001  # as three times as many cases it would be 6e-14


def cluster_changes(changes: list[int], unchanged: int = 100) -> PairedDifference:
    """Return the difference of clusters of three items with these sums of changes, and of some that do not change."""
    pairs = [
        Pair(change < 0 and item < -change, change > 0 and item < change, cluster)
        for cluster, change in enumerate([*changes, *[0] * unchanged])
        for item in range(3)
    ]
    return paired_difference(pairs)


def test_a_few_clusters_that_change_show_nothing() -> None:
    found = cluster_changes([1, 1, 1, 1])
    assert found.p == mcnemar(4, 0) == 0.125
    assert found.interval is not None
    assert found.interval[0] <= 0 < found.interval[1]
    assert cluster_changes([]).p == 1.0


@given(st.integers(0, 20), st.integers(0, 20))
def test_clusters_that_change_in_one_item_each_have_the_p_of_mcnemar(gained: int, lost: int) -> None:
    assert cluster_changes([1] * gained + [-1] * lost).p == pytest.approx(mcnemar(gained, lost))


@pytest.mark.parametrize("changed", range(4, 13))
def test_chance_alone_is_rarely_called_a_difference(changed: int) -> None:
    """Of all signs that the changed clusters can have, at most 5 % are significant, and p says how many."""
    sizes = [random.Random(changed + i).randint(1, 3) for i in range(changed)]
    sums = [sum(signs) for signs in itertools.product(*((size, -size) for size in sizes))]
    p_by_sum: dict[int, float] = {}
    for signs in itertools.product(*((size, -size) for size in sizes)):
        if sum(signs) not in p_by_sum:
            found = cluster_changes(list(signs), unchanged=10)
            assert found.p is not None
            assert found.interval is not None
            assert found.p <= 0.05 or found.interval[0] <= 0 <= found.interval[1]
            p_by_sum[sum(signs)] = found.p
    for total, p in p_by_sum.items():
        assert p == pytest.approx(sum(abs(each) >= abs(total) for each in sums) / len(sums))
    assert sum(p_by_sum[each] <= 0.05 for each in sums) / len(sums) <= 0.05


@pytest.mark.parametrize("items", [1, 3])
def test_of_1000_repeats_without_a_difference_at_most_5_percent_show_one(items: int) -> None:
    """The interval says the same as the test each time; 100 clusters, of which a few change, or many."""
    rng, significant = random.Random(1), 0
    for repeat in range(1000):
        changed = (0.05, 0.1, 0.3)[repeat % 3]
        sums = [rng.choice((-1, 1)) * rng.randint(1, items) if rng.random() < changed else 0 for _ in range(100)]
        pairs = [
            Pair(change < 0 and item < -change, change > 0 and item < change, cluster)
            for cluster, change in enumerate(sums)
            for item in range(items)
        ]
        found = paired_difference(pairs)
        assert found.p is not None
        assert found.interval is not None
        low, high = found.interval
        assert (low >= 0 or high <= 0) if found.p < 0.05 else low <= 0 <= high
        significant += found.p < 0.05
    assert significant <= 50 + 2.33 * (1000 * 0.05 * 0.95) ** 0.5  # of a test whose error is 5 %, in 99 of 100


def test_one_large_cluster_leaves_the_sign_as_certain_as_the_test_says() -> None:
    """Seven clusters change, all upwards, one by seven items: p is 2/128, and the interval does not cross 0."""
    pairs = [
        Pair(False, item < change, case) for case, change in enumerate([1] * 6 + [7] + [0] * 100) for item in range(7)
    ]
    found = paired_difference(pairs)
    assert found.p == 2 / 2**7
    assert found.interval is not None
    assert found.interval[0] == 0.0 < found.interval[1]


def test_clusters_that_all_change_alike_still_leave_doubt() -> None:
    """A variance of zero between 8 clusters of 3 does not make the change certain: they count as 8 items."""
    found = paired_difference(Pair(True, False, case) for case in range(8) for _ in range(3))
    assert (found.value, found.before, found.after) == (-1.0, 1.0, 0.0)
    assert found.interval == paired_difference(Pair(True, False, case) for case in range(8)).interval


def test_thousands_of_changed_items_are_tested() -> None:
    assert mcnemar(900, 600) == pytest.approx(stats.binomtest(900, 1500).pvalue, rel=1e-9)


def exact_power(pairs: int, changed: float, change: float) -> float:
    """Return how often the exact test at 5 % finds a change, if this part of the pairs changes."""
    up, power = (changed + change) / 2 / changed, 0.0
    for m in range(pairs + 1):
        significant = [k for k in range(m + 1) if mcnemar(k, m - k) <= 0.05]
        power += stats.binom.pmf(m, pairs, changed) * sum(stats.binom.pmf(k, m, up) for k in significant)
    return float(power)


@pytest.mark.parametrize(("pairs", "changed"), [(60, 30), (120, 40), (200, 40)])
def test_a_detectable_change_is_found_in_about_80_percent_of_repetitions(pairs: int, changed: int) -> None:
    change = detectable_difference(changed, pairs)
    assert change is not None
    assert 0.72 <= exact_power(pairs, changed / pairs, change) <= 0.82


def test_what_so_many_pairs_can_show() -> None:
    assert detectable_difference(0, 24) == 6 / 24  # fewer than six changed cases are never significant
    assert detectable_difference(3, 4) == 1.0
    assert detectable_difference(0, 0) is None


def test_several_tasks_of_a_case_show_no_more_than_one() -> None:
    single = paired_difference(Pair(i % 2 == 0, False, i) for i in range(60))
    tripled = paired_difference(Pair(i % 2 == 0, False, i) for i in range(60) for _ in range(3))
    assert tripled.detectable == pytest.approx(single.detectable, rel=0.02)
