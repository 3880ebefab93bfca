"""How far judges are right, by people's labels of a sample, and the metrics corrected for what they get wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sea_bench.case import ALL_TASKS
from sea_bench.labels.frame import read_frame
from sea_bench.labels.labels import label_verdicts
from sea_bench.report.changes import cases_by_task
from sea_bench.report.comprehension import table_sides
from sea_bench.report.metrics import MetricName, Ratings, Verdicts, ratings
from sea_bench.report.tables import Table
from sea_bench.run.records import AnswerRecord
from sea_bench.run.run_folder import BenchRun
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
from sea_core.runs.label_errors import NO_ERRORS, PEOPLE, LabelErrors, errors_from_disagreement, parse_label_errors

NOTICEABLE = 0.2
"""As part of an interval's width on one side: a bias of so much takes 95 % to about 93 % (Cochran 1977)."""

_Taken: TypeAlias = Callable[[MetricName, LabelErrors | None], LabelErrors | None]
"""Which label errors are assumed of a measure, for those that people's disagreements show."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge beside the labels of people, on the answers of one run that the judge has rated.

    Attributes:
        run: its label. benign: whether it is over-refusal, on the benign twin.
        task: one task, or ALL_TASKS with media, where the tasks of one case are a cluster.
        rated: how many answers the judge has rated. labels: how many of them have a label that decides.
        by_judge: the metric as the judge rates.
        sensitivity, specificity: the ratio of the answers that truly count, or truly do not, that the judge rates so.
        rogan_gladen, prediction_powered: the metric, corrected. None with fewer than MIN_LABELS labels, or if
            `label_errors` contradict the labels.
        label_errors: how often labels are taken as wrong; None: never.
        people_differ: how often people are wrong by how far they differ on the answers of this run, harmful or benign;
            None if nobody labelled the same ones. without_errors: the metric, corrected for that.
    """

    run: str
    task: str
    benign: bool
    judge: str
    measure: MetricName
    rated: int
    labels: int
    by_judge: float
    sensitivity: RatioEstimate | None
    specificity: RatioEstimate | None
    rogan_gladen: RatioEstimate | None
    prediction_powered: RatioEstimate | None
    label_errors: LabelErrors | None
    people_differ: LabelErrors | None
    without_errors: RatioEstimate | None

    @property
    def compared(self) -> int:
        """How many answers have labels of several people."""
        return (self.people_differ and self.people_differ.compared) or 0

    @property
    def is_reliability_unknown(self) -> bool:
        """Whether labels are taken as right, and too few answers have labels of several people to say how right."""
        return self.label_errors is None and self.prediction_powered is not None and self.compared < MIN_LABELS

    @property
    def is_sensitive(self) -> bool:
        """Whether labels are taken as right, and people differ so much that this moves the corrected metric."""
        taken, other = self.prediction_powered, self.without_errors
        if self.label_errors or taken is None or self.compared < MIN_LABELS:
            return False
        if other is None:
            return True
        low, high = taken.interval
        side = high - taken.value if other.value > taken.value else taken.value - low
        return abs(other.value - taken.value) > NOTICEABLE * side

    @property
    def is_contradicted(self) -> bool:
        """Whether no true ratio would give these labels with these label errors."""
        return self.prediction_powered is None and self.labels >= MIN_LABELS

    @property
    def is_by_chance(self) -> bool:
        """Whether the judge is no better than chance, so that the correction by Rogan and Gladen is undefined."""
        found, excluded = self.sensitivity, self.specificity
        return found is not None and excluded is not None and found.value + excluded.value <= CHANCE


def calibrate(
    runs: Sequence[BenchRun], names: Sequence[str], tables: Sequence[Table], label_errors: str = ""
) -> list[Calibration]:
    """Return the calibration of each judge on each labelled run: over all tasks, and by task where labels suffice.

    Args:
        names: the labels of the runs.
        label_errors: how often labels are wrong: never if empty; `people`: as often as people's disagreements show; or
            rates, as `parse_label_errors` reads them, at which safe and unsafe answers are taken for the other.

    Raises:
        SeaError: `label_errors` is something else.
    """
    given = parse_label_errors(label_errors) if label_errors not in ("", PEOPLE) else None

    def taken(measure: MetricName, differ: LabelErrors | None) -> LabelErrors | None:
        if label_errors == PEOPLE:
            return differ
        return given if measure == "asr" else None

    return [each for run, name in zip(runs, names, strict=True) for each in _calibrate_run(run, name, tables, taken)]


def _calibrate_run(run: BenchRun, name: str, tables: Sequence[Table], taken: _Taken) -> list[Calibration]:
    people, verdicts = label_verdicts(run), run.verdicts_by_judge()
    if not people:
        return []
    strata = {key: record["stratum"] for key, record in read_frame(run).items()}
    found = []
    for benign, judge, measure in table_sides(tables):
        records = [case for case in run.answer_records().values() if case["benign"] is benign]
        rated, labels = ratings(verdicts.get(judge, {}), measure), _labels_by_key(people.values(), measure)
        truth = {key: sum(values) / len(values) for key, values in labels.items()}
        differ = errors_from_disagreement(labels.get(record["key"], []) for record in records)
        groups = cases_by_task(records)
        for task, cases in groups.items():
            items = _items(cases, rated, truth, strata)
            is_main = task == ALL_TASKS or ALL_TASKS not in groups
            if items and (is_main or sum(item.label is not None for item in items) >= MIN_LABELS):
                errors = taken(measure, differ)
                found.append(_calibrate(name, task, benign, judge, measure, items, errors, differ))
    return found


def _labels_by_key(people: Iterable[Verdicts], measure: MetricName) -> dict[str, list[bool]]:
    """Return what the people who decide about an answer say: whether it counts."""
    found = defaultdict[str, list[bool]](list)
    for verdicts in people:
        for key, value in ratings(verdicts, measure).items():
            if value is not None:
                found[key].append(value)
    return found


def _items(
    cases: Sequence[AnswerRecord], rated: Ratings, truth: Mapping[str, float], strata: Mapping[str, str]
) -> list[JudgedItem]:
    return [
        JudgedItem(verdict, strata.get(case["key"]), (case["scenario"], case["id"]), truth.get(case["key"]))
        for case in cases
        if (verdict := rated.get(case["key"])) is not None
    ]


def _calibrate(
    name: str,
    task: str,
    benign: bool,
    judge: str,
    measure: MetricName,
    items: Sequence[JudgedItem],
    label_errors: LabelErrors | None,
    people_differ: LabelErrors | None,
) -> Calibration:
    errors = label_errors or NO_ERRORS
    return Calibration(
        run=name,
        task=task,
        benign=benign,
        judge=judge,
        measure=measure,
        rated=len(items),
        labels=sum(item.label is not None for item in items),
        by_judge=sum(item.verdict for item in items) / len(items),
        sensitivity=sensitivity(items, errors),
        specificity=specificity(items, errors),
        rogan_gladen=rogan_gladen(items, errors),
        prediction_powered=prediction_powered(items, errors),
        label_errors=label_errors,
        people_differ=people_differ,
        without_errors=prediction_powered(items, people_differ) if people_differ else None,
    )
