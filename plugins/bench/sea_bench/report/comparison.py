"""Arms side by side: one model as it is, and with each of several defences or adapters, on the same cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sea_bench.case import ALL_TASKS
from sea_bench.report.changes import cases_by_task, make_pairs
from sea_bench.report.comprehension import choose_judge, understanding
from sea_bench.report.metrics import NAMES, Metric, MetricName, Verdicts, pooled_metric, ratings
from sea_bench.report.render import TextTable, format_metric, format_p, signed
from sea_bench.report.tables import Table
from sea_bench.run.answering import NO_VERDICT
from sea_bench.run.records import AnsweredRecord, AnswerRecord
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.paired import PairedDifference, paired_difference
from sea_core.runs.statistics import ratio, wilson_interval

COLUMNS = (
    *("arm", "task", "metric", "over harmful cases (95 %)", "change (95 %)", "p"),
    *("over-refusal (95 %)", "its change (95 %)", "its p", "media understood", "defence acted"),
    *("prompt tokens", "answer tokens", "extra calls"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer costs on average, with all calls that a defence makes for it.

    Attributes:
        prompt_tokens: tokens that are read. tokens: tokens that are generated. None where a length is unknown.
        extra_calls: calls besides the one that gives the answer.
    """

    prompt_tokens: float | None
    tokens: float | None
    extra_calls: float


@dataclass(frozen=True, slots=True)
class ArmMetrics:
    """The metrics of one arm by one judge, on one task or on all tasks with media.

    Attributes:
        metric: ASR, or the refusal rate, of the harmful cases. over_refusal: of those of the benign twin.
        change, over_refusal_change: the paired change from the plain model; None for the plain model itself.
        understood: of how many of the `described` media of harmful cases the arm names the key phrase.
        acted: in how many of the `answered` cases, harmful or benign, the defence changed the answer. no_verdict: in
            how many it understood no verdict, and let pass.
    """

    arm: str
    judge: str
    measure: MetricName
    task: str
    metric: Metric | None
    over_refusal: Metric | None
    change: PairedDifference | None
    over_refusal_change: PairedDifference | None
    understood: int
    described: int
    acted: int
    no_verdict: int
    answered: int
    cost: Cost


@dataclass(frozen=True)
class _Arm:
    """A run, read once."""

    name: str
    records: Mapping[str, AnswerRecord]
    verdicts: Mapping[str, Verdicts]
    understood: Mapping[str, bool]

    def cases(self, task: str, benign: bool) -> list[AnswerRecord]:
        return cases_by_task([case for case in self.records.values() if case["benign"] is benign]).get(task, [])


def measure_arms(runs: Sequence[BenchRun], names: Sequence[str], tables: Sequence[Table]) -> list[ArmMetrics]:
    """Return the metrics of each arm, by judge, task and arm. The first run is the plain model's."""
    content_judge = choose_judge(runs)
    arms = [
        _Arm(name, run.answer_records(), run.verdicts_by_judge(), understanding(run, content_judge))
        for name, run in zip(names, runs, strict=True)
    ]
    tasks = list(cases_by_task(list(arms[0].records.values())))
    return [_measure(arm, arms[0], table, task) for table in tables for task in tasks for arm in arms]


def _measure(arm: _Arm, plain: _Arm, table: Table, task: str) -> ArmMetrics:
    harmful, benign = (arm.cases(task, side) for side in (False, True))
    answered = [case for case in (*harmful, *benign) if case["status"] == "answered"]
    known = [value for case in harmful if (value := arm.understood.get(case["key"])) is not None]
    return ArmMetrics(
        arm=arm.name,
        judge=table.judge,
        measure=table.measure,
        task=task,
        metric=_metric(arm, harmful, table.judge, table.measure),
        over_refusal=_metric(arm, benign, table.over_refusal_judge, "refusal"),
        change=_change(arm, plain, harmful, table.judge, table.measure),
        over_refusal_change=_change(arm, plain, benign, table.over_refusal_judge, "refusal"),
        understood=sum(known),
        described=len(known),
        acted=sum(case.get("action", "") not in ("", NO_VERDICT) for case in answered),
        no_verdict=sum(case.get("action") == NO_VERDICT for case in answered),
        answered=len(answered),
        cost=_mean_cost(answered),
    )


def _metric(arm: _Arm, cases: Sequence[AnswerRecord], judge: str, measure: MetricName) -> Metric | None:
    """Return the metric of cases. Where several tasks ask the same, its interval is that of so many different cases."""
    verdicts = arm.verdicts.get(judge)
    if not cases or verdicts is None:
        return None
    found = pooled_metric(cases, ratings(verdicts, measure), ratings(verdicts, measure, loose=True))
    rated = [case for case in cases if ratings(verdicts, measure).get(case["key"]) is not None]
    clusters = len({(case["scenario"], case["id"]) for case in rated})
    if found.value is None or clusters == len(rated):
        return found
    return replace(found, interval=wilson_interval(found.value * clusters, clusters))


def _change(
    arm: _Arm, plain: _Arm, cases: Sequence[AnswerRecord], judge: str, measure: MetricName
) -> PairedDifference | None:
    if arm is plain or not cases:
        return None
    before, after = (ratings(each.verdicts.get(judge, {}), measure) for each in (plain, arm))
    return paired_difference(make_pairs(cases, before, after))


def _mean_cost(answered: Sequence[AnsweredRecord]) -> Cost:
    count = len(answered)
    calls = [call for record in answered for call in record.get("extra_calls", ())]
    read = [each.get("prompt_tokens") for each in (*answered, *calls)]
    generated = [each["tokens"] for each in (*answered, *calls)]
    return Cost(_mean(read, count), _mean(generated, count), ratio(len(calls), count) or 0.0)


def _mean(values: Sequence[int | None], count: int) -> float | None:
    """Return the sum of all calls for each answer; None if one of them is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) / count if count and len(known) == len(values) else None


def comparison_table(arms: Sequence[ArmMetrics], *, by_task: bool = False) -> TextTable:
    """Return the one table of a comparison. A task or a metric that all rows have stands in the title.

    Args:
        by_task: a row for each task; by default for all tasks with media together.
    """
    tasks = {arm.task for arm in arms}
    shown = [arm for arm in arms if by_task or ALL_TASKS not in tasks or arm.task == ALL_TASKS]
    rows = list(_rows(shown))
    shared = [column for column in (1, 2) if len({row[column] for row in rows}) == 1]
    titles = [rows[0][column] for column in shared]
    titles += ["changes: from the first arm, paired by case", "tokens and calls: the mean for each answer"]
    return TextTable("; ".join(titles), _without(COLUMNS, shared), [_without(row, shared) for row in rows])


def _without(cells: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [cell for number, cell in enumerate(cells) if number not in columns]


def _rows(arms: Sequence[ArmMetrics]) -> Iterator[list[str]]:
    for arm in arms:
        yield [
            arm.arm,
            arm.task,
            f"{NAMES[arm.measure]} by {arm.judge}",
            format_metric(arm.metric),
            *_change_cells(arm.change),
            format_metric(arm.over_refusal),
            *_change_cells(arm.over_refusal_change),
            f"{arm.understood} of {arm.described}" if arm.described else "-",
            f"{arm.acted} of {arm.answered}" + f"; {arm.no_verdict} without a verdict" * bool(arm.no_verdict),
            *(_mean_cell(value) for value in (arm.cost.prompt_tokens, arm.cost.tokens, arm.cost.extra_calls)),
        ]


def _change_cells(change: PairedDifference | None) -> list[str]:
    return ["-", "-"] if change is None else [signed(change.value, change.interval), format_p(change.p)]


def _mean_cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
