"""How far judges are right, by people's labels of a sample, and the metrics corrected for what they get wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sea_bench.labels.frame import read_frame
from sea_bench.labels.labels import label_verdicts
from sea_bench.report.changes import ALL_TASKS, cases_by_task
from sea_bench.report.comprehension import table_sides
from sea_bench.report.metrics import Measure, Ratings, ratings
from sea_bench.report.tables import Table
from sea_bench.run.run_folder import AnswerRecord, BenchRun
from sea_core.runs.calibration import (
    CHANCE,
    MIN_LABELS,
    JudgedItem,
    RatioEstimate,
    prediction_powered,
    rogan_gladen,
    sensitivity,
    specificity,
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge beside the labels of people, on the answers of one run that the judge has rated.

    Attributes:
        run: its label. benign: whether it is over-refusal, on the benign twin.
        task: one task, or ALL_TASKS with media, where the tasks of one case are a cluster.
        rated: how many answers the judge has rated. labels: how many of them have a label that decides.
        by_judge: the metric as the judge rates.
        sensitivity, specificity: the ratio of the answers that truly count, or truly do not, that the judge rates so.
        rogan_gladen, prediction_powered: the metric, corrected. None with fewer than MIN_LABELS labels.
    """

    run: str
    task: str
    benign: bool
    judge: str
    measure: Measure
    rated: int
    labels: int
    by_judge: float
    sensitivity: RatioEstimate | None
    specificity: RatioEstimate | None
    rogan_gladen: RatioEstimate | None
    prediction_powered: RatioEstimate | None

    @property
    def is_by_chance(self) -> bool:
        """Whether the judge is no better than chance, so that the correction by Rogan and Gladen is undefined."""
        found, excluded = self.sensitivity, self.specificity
        return found is not None and excluded is not None and found.value + excluded.value <= CHANCE


def calibrate(runs: Sequence[BenchRun], names: Sequence[str], tables: Sequence[Table]) -> list[Calibration]:
    """Return the calibration of each judge on each labelled run: over all tasks, and by task where labels suffice.

    Args:
        names: the labels of the runs.
    """
    return [each for run, name in zip(runs, names, strict=True) for each in _calibrate_run(run, name, tables)]


def _calibrate_run(run: BenchRun, name: str, tables: Sequence[Table]) -> list[Calibration]:
    people, verdicts = label_verdicts(run), run.verdicts_by_judge()
    if not people:
        return []
    strata = {key: record["stratum"] for key, record in read_frame(run).items()}
    found = []
    for benign, judge, measure in table_sides(tables):
        rated = ratings(verdicts.get(judge, {}), measure)
        truth = _mean_ratings([ratings(each, measure) for each in people.values()])
        groups = cases_by_task([case for case in run.answer_records().values() if case["benign"] is benign])
        for task, cases in groups.items():
            items = _items(cases, rated, truth, strata)
            is_main = task == ALL_TASKS or ALL_TASKS not in groups
            if items and (is_main or sum(item.label is not None for item in items) >= MIN_LABELS):
                found.append(_calibrate(name, task, benign, judge, measure, items))
    return found


def _mean_ratings(by_person: Sequence[Ratings]) -> dict[str, float]:
    """Return how many of the people who decide about an answer say that it counts, from 0 to 1."""
    keys = dict.fromkeys(key for each in by_person for key in each)
    decided = {key: [value for each in by_person if (value := each.get(key)) is not None] for key in keys}
    return {key: sum(values) / len(values) for key, values in decided.items() if values}


def _items(
    cases: Sequence[AnswerRecord], rated: Ratings, truth: Mapping[str, float], strata: Mapping[str, str]
) -> list[JudgedItem]:
    return [
        JudgedItem(verdict, strata.get(case["key"]), (case["scenario"], case["id"]), truth.get(case["key"]))
        for case in cases
        if (verdict := rated.get(case["key"])) is not None
    ]


def _calibrate(
    name: str, task: str, benign: bool, judge: str, measure: Measure, items: Sequence[JudgedItem]
) -> Calibration:
    return Calibration(
        run=name,
        task=task,
        benign=benign,
        judge=judge,
        measure=measure,
        rated=len(items),
        labels=sum(item.label is not None for item in items),
        by_judge=sum(item.verdict for item in items) / len(items),
        sensitivity=sensitivity(items),
        specificity=specificity(items),
        rogan_gladen=rogan_gladen(items),
        prediction_powered=prediction_powered(items),
    )
