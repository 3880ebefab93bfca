"""The change between two benchmark runs, paired by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sea_bench.report.metrics import Measure, Ratings, ratings
from sea_bench.report.tables import Table, counted_task
from sea_bench.run.run_folder import AnswerRecord, BenchRun
from sea_core.runs.paired import Pair, PairedDifference, paired_difference

ALL_TASKS = "all tasks"


@dataclass(frozen=True, slots=True)
class PairedChange:
    """How a metric changes from the first run to the second, on the cases that both have answered and had rated.

    Attributes:
        benign: whether it is over-refusal, on the benign twin.
        task: one task, or ALL_TASKS with media, where the tasks of one case are a cluster.
    """

    judge: str
    measure: Measure
    benign: bool
    task: str
    difference: PairedDifference


def make_changes(runs: Sequence[BenchRun], tables: Sequence[Table]) -> list[PairedChange]:
    """Return the changes of each table's metrics, if there are two runs: by task, and over all tasks."""
    if len(runs) != 2:
        return []
    verdicts = [run.verdicts_by_judge() for run in runs]
    records = runs[0].answer_records()
    changes = []
    for table in tables:
        sides: list[tuple[bool, str, Measure]] = [
            (False, table.judge, table.measure),
            (True, table.over_refusal_judge, "refusal"),
        ]
        for benign, judge, measure in sides:
            before, after = (ratings(by_judge.get(judge, {}), measure) for by_judge in verdicts)
            cases = [case for case in records.values() if case["benign"] is benign]
            changes += [
                PairedChange(judge, measure, benign, task, paired_difference(_pairs(of_task, before, after)))
                for task, of_task in _by_task(cases).items()
            ]
    return list(dict.fromkeys(changes))  # over-refusal by one judge stands beside several tables


def _by_task(cases: Sequence[AnswerRecord]) -> dict[str, list[AnswerRecord]]:
    """Return the cases of each task; of all tasks with media together, if there are several."""
    found: dict[str, list[AnswerRecord]] = {}
    for case in cases:
        found.setdefault(counted_task(case), []).append(case)
    with_media = {task for task, of_task in found.items() if of_task[0]["condition"] == "media"}
    if len(with_media) > 1:
        found[ALL_TASKS] = [case for task in sorted(with_media) for case in found[task]]
    return found


def _pairs(cases: Sequence[AnswerRecord], before: Ratings, after: Ratings) -> list[Pair]:
    pairs = []
    for case in cases:
        first, second = before.get(case["key"]), after.get(case["key"])
        if first is not None and second is not None:
            pairs.append(Pair(first, second, (case["scenario"], case["id"])))
    return pairs
