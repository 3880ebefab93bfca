"""The change between two benchmark runs, paired by case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sea_bench.case import ALL, ALL_TASKS, MEAN
from sea_bench.report.comprehension import choose_judge, table_sides, understanding
from sea_bench.report.metrics import MetricName, Ratings, ratings
from sea_bench.report.tables import Table, counted_task
from sea_bench.run.records import AnswerRecord
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.paired import Pair, PairedDifference, paired_difference
from sea_core.runs.statistics import mover_interval


@dataclass(frozen=True, slots=True)
class PairedChange:
    """How a metric changes from the first run to the second, on the cases that both have answered and had rated.

    Attributes:
        benign: whether it is over-refusal, on the benign twin.
        task: one task, or ALL_TASKS with media, where the tasks of one case are a cluster.
        scenario: ALL cases together, or the MEAN of the changes of the scenarios, which has no p.
        understood: whether only cases count whose medium is understood in both runs.
        with_media: whether the cases come with their own media, and not as text or with a blank medium.
    """

    judge: str
    measure: MetricName
    benign: bool
    task: str
    difference: PairedDifference
    understood: bool = False
    scenario: str = ALL
    with_media: bool = False


def make_changes(runs: Sequence[BenchRun], tables: Sequence[Table]) -> list[PairedChange]:
    """Return the changes of each table's metrics, if there are two runs: by task, and over all tasks.

    If both runs know what their model understands, also among the cases that it understands in both.
    """
    return compare_runs(runs[0], runs[1], tables) if len(runs) == 2 else []


def compare_runs(first: BenchRun, second: BenchRun, tables: Sequence[Table]) -> list[PairedChange]:
    """Return the changes from one run to another (see `make_changes`), of tasks of which they share a case."""
    runs = (first, second)
    verdicts = [run.verdicts_by_judge() for run in runs]
    content_judge = choose_judge(runs)
    known, known_after = (understanding(run, content_judge) for run in runs)
    understood = {key for key, value in known.items() if value and known_after.get(key)}
    records, changes = first.answer_records().values(), list[PairedChange]()
    common = first.answer_records().keys() & second.answer_records().keys()
    for benign, judge, measure in table_sides(tables):
        before, after = (ratings(by_judge.get(judge, {}), measure) for by_judge in verdicts)
        for task, cases in cases_by_task([case for case in records if case["benign"] is benign]).items():
            if not any(case["key"] in common for case in cases):
                continue
            with_media = any(case["condition"] == "media" for case in cases)
            empty = PairedChange(judge, measure, benign, task, NO_PAIRS, with_media=with_media)
            changes += _of_task(empty, cases, before, after)
            if known and known_after and with_media:
                both = [case for case in cases if case["key"] in understood]
                changes += _of_task(replace(empty, understood=True), both, before, after)
    return changes


NO_PAIRS = paired_difference(())


def _of_task(empty: PairedChange, cases: Sequence[AnswerRecord], before: Ratings, after: Ratings) -> list[PairedChange]:
    """Return the change over all cases of a task; if it has several scenarios, also the mean of their changes."""
    by_scenario: dict[str, list[AnswerRecord]] = {}
    for case in cases:
        by_scenario.setdefault(case["scenario"], []).append(case)
    pairs = {name: make_pairs(of_scenario, before, after) for name, of_scenario in by_scenario.items()}
    found = [replace(empty, difference=paired_difference(pair for each in pairs.values() for pair in each))]
    if len(pairs) > 1:
        found.append(replace(empty, difference=_mean_difference(pairs), scenario=MEAN))
    return found


def _mean_difference(pairs: Mapping[str, Sequence[Pair]]) -> PairedDifference:
    """Return the plain mean of the changes of scenarios, with an interval combined from theirs by MOVER.

    It has no value if a scenario has none: it would not be the same mean.
    """
    each = [paired_difference(of_scenario) for of_scenario in pairs.values()]
    complete = all(d.interval is not None for d in each)
    estimates = [(d.value, d.interval) for d in each if d.value is not None and d.interval is not None]

    def mean(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if complete else None

    return PairedDifference(
        **{name: sum(getattr(d, name) for d in each) for name in ("pairs", "clusters", "gained", "lost")},
        before=mean(d.before for d in each),
        after=mean(d.after for d in each),
        value=mean(d.value for d in each),
        interval=mover_interval(estimates, (-1.0, 1.0)) if complete else None,
        p=None,
        detectable=None,
    )


def cases_by_task(cases: Sequence[AnswerRecord]) -> dict[str, list[AnswerRecord]]:
    """Return the cases of each task; of all tasks with media together, if there are several."""
    found: dict[str, list[AnswerRecord]] = {}
    for case in cases:
        found.setdefault(counted_task(case), []).append(case)
    with_media = {task for task, of_task in found.items() if of_task[0]["condition"] == "media"}
    if len(with_media) > 1:
        found[ALL_TASKS] = [case for task in sorted(with_media) for case in found[task]]
    return found


def make_pairs(cases: Sequence[AnswerRecord], before: Ratings, after: Ratings) -> list[Pair]:
    """Return the cases that are rated both before and after; the tasks of one case are a cluster."""
    pairs = []
    for case in cases:
        first, second = before.get(case["key"]), after.get(case["key"])
        if first is not None and second is not None:
            pairs.append(Pair(first, second, (case["scenario"], case["id"])))
    return pairs
