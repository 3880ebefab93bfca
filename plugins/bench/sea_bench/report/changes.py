"""The change between two benchmark runs, paired by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sea_bench.report.comprehension import choose_judge, table_sides, understanding
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
        understood: whether only cases count whose medium is understood in both runs.
    """

    judge: str
    measure: Measure
    benign: bool
    task: str
    difference: PairedDifference
    understood: bool = False


def make_changes(runs: Sequence[BenchRun], tables: Sequence[Table]) -> list[PairedChange]:
    """Return the changes of each table's metrics, if there are two runs: by task, and over all tasks.

    If both runs know what their model understands, also among the cases that it understands in both.
    """
    if len(runs) != 2:
        return []
    verdicts = [run.verdicts_by_judge() for run in runs]
    records = runs[0].answer_records()
    content_judge = choose_judge(runs)
    known, known_after = (understanding(run, content_judge) for run in runs)
    understood = {key for key, value in known.items() if value and known_after.get(key)}
    changes = []
    for benign, judge, measure in table_sides(tables):
        before, after = (ratings(by_judge.get(judge, {}), measure) for by_judge in verdicts)
        for task, cases in _by_task([case for case in records.values() if case["benign"] is benign]).items():
            changes.append(PairedChange(judge, measure, benign, task, paired_difference(_pairs(cases, before, after))))
            if known and known_after and any(case["condition"] == "media" for case in cases):
                both = [case for case in cases if case["key"] in understood]
                found = paired_difference(_pairs(both, before, after))
                changes.append(PairedChange(judge, measure, benign, task, found, understood=True))
    return changes


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
