"""Tables of metrics: by judge and measure, with a row for each task and scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sea_bench.case import ALL, MEAN
from sea_bench.report.metrics import (
    Metric,
    MetricName,
    Verdicts,
    contains_refusals,
    decided_metrics,
    pooled_metric,
    ratings,
    scenario_mean,
)
from sea_bench.run.records import AnswerRecord
from sea_bench.run.run_folder import BenchRun


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: for each run, the metric on the benchmark's cases, and over-refusal on the benign twin.

    Attributes:
        with_media: whether the cases come with their own media, and not as text or with a blank medium.
        shared: whether all runs have a case of the benchmark in common here, in each scenario of a mean.
    """

    task: str
    scenario: str
    metrics: tuple[Metric | None, ...]
    over_refusal: tuple[Metric | None, ...]
    with_media: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The metrics of several runs by one judge. Over-refusal may be by another judge, if this one gives no refusals."""

    judge: str
    measure: MetricName
    over_refusal_judge: str
    rows: tuple[TableRow, ...]


def make_tables(runs: Sequence[BenchRun], only: Sequence[str] = ()) -> list[Table]:
    """Return a table for each judge and each measure that it decides, in the order of the judges' first verdicts.

    Args:
        only: names of judges; all if empty.
    """
    verdicts = [run.verdicts_by_judge() for run in runs]
    cases = [run.answer_records() for run in runs]
    names = dict.fromkeys(name for by_judge in verdicts for name in by_judge)
    tables = []
    for judge in names:
        if only and judge not in only:
            continue
        by_run = [by_judge.get(judge) for by_judge in verdicts]
        for measure in decided_metrics(by_run):
            refusal_judge = judge if "refusal" in decided_metrics(by_run) else _first_refusal_judge(verdicts)
            refusals = [by_judge.get(refusal_judge) for by_judge in verdicts]
            tables.append(Table(judge, measure, refusal_judge, tuple(_make_rows(cases, by_run, refusals, measure))))
    return tables


def _first_refusal_judge(verdicts: Sequence[Mapping[str, Verdicts]]) -> str:
    names = (name for by_judge in verdicts for name in by_judge if contains_refusals(by_judge[name]))
    return next(names, "")


def _make_rows(
    cases: Sequence[Mapping[str, AnswerRecord]],
    verdicts: Sequence[Verdicts | None],
    refusals: Sequence[Verdicts | None],
    measure: MetricName,
) -> Iterable[TableRow]:
    """Yield for each task: its scenarios, the mean over them, and all cases."""
    records = [record for of_run in cases for record in of_run.values()]
    for task in dict.fromkeys(counted_task(record) for record in records):
        harmful, benign = ([_select(of_run.values(), task, side) for of_run in cases] for side in (False, True))
        with_media = any(case["condition"] == "media" for of_run in (*harmful, *benign) for case in of_run)
        scenarios, benign_scenarios = _scenarios(harmful), _scenarios(benign)
        for scenario in (*dict.fromkeys([*scenarios, *benign_scenarios]), MEAN, ALL):
            yield TableRow(
                task,
                scenario,
                _metrics(harmful, verdicts, measure, scenario, scenarios),
                _metrics(benign, refusals, "refusal", scenario, benign_scenarios),
                with_media,
                _is_shared(harmful, scenario, scenarios),
            )


def _select(records: Iterable[AnswerRecord], task: str, benign: bool) -> list[AnswerRecord]:
    return [record for record in records if counted_task(record) == task and record["benign"] is benign]


def _scenarios(cases: Sequence[Sequence[AnswerRecord]]) -> list[str]:
    return list(dict.fromkeys(record["scenario"] for of_run in cases for record in of_run))


def _is_shared(cases: Sequence[Sequence[AnswerRecord]], scenario: str, scenarios: Sequence[str]) -> bool:
    """Return whether all runs have a case in common: in a scenario, in any for ALL cases, in each for their MEAN."""
    first, *others = [{case["key"]: case["scenario"] for case in of_run} for of_run in cases]
    common = {name for key, name in first.items() if all(key in keys for keys in others)}
    if scenario == MEAN:
        return common >= set(scenarios)
    return bool(common) if scenario == ALL else scenario in common


def _metrics(
    cases: Sequence[Sequence[AnswerRecord]],
    verdicts: Sequence[Verdicts | None],
    measure: MetricName,
    scenario: str,
    scenarios: Sequence[str],
) -> tuple[Metric | None, ...]:
    """Return the metric of each run."""
    pairs = zip(cases, verdicts, strict=True)
    return tuple(_metric(of_run, by_run, measure, scenario, scenarios) for of_run, by_run in pairs)


def _metric(
    cases: Sequence[AnswerRecord],
    verdicts: Verdicts | None,
    measure: MetricName,
    scenario: str,
    scenarios: Sequence[str],
) -> Metric | None:
    """Return the metric of a scenario, of all cases, or their mean; None if there are no cases or no verdicts.

    The mean has no value if this run lacks a scenario that another run has: it would not be the same mean.
    """
    if not cases or verdicts is None:
        return None
    strict, loose = ratings(verdicts, measure), ratings(verdicts, measure, loose=True)
    by_scenario = {name: [case for case in cases if case["scenario"] == name] for name in (*scenarios, scenario)}
    if scenario == MEAN:
        return scenario_mean([pooled_metric(by_scenario[name], strict, loose) for name in scenarios])
    selected = cases if scenario == ALL else by_scenario[scenario]
    return pooled_metric(selected, strict, loose) if selected else None


def counted_task(record: AnswerRecord) -> str:
    """Return the task under which a case is counted: cases with blank or no media are tasks of their own."""
    return record["task"] if record["condition"] in ("text", "media") else f"{record['task']}, {record['condition']}"
