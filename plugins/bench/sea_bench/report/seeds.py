"""The change between two arms of a comparison, each one run or several runs that differ in their seed only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from sea_bench.report.changes import PairedChange, compare_runs
from sea_bench.report.metrics import Metric, MetricName
from sea_bench.report.tables import Table
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import RunError
from sea_core.runs.seeds import SeedChange, SeedMean, seed_change, seed_mean

ChangeKey = tuple[str, MetricName, bool, str, bool, str]
"""What a change is of: judge, measure, benign, task, understood, scenario."""


@dataclass(frozen=True, slots=True)
class ArmChange:
    """How the mean of a metric over the runs of an arm changes from the first arm to the second.

    Attributes:
        benign, task, scenario, understood: as of `PairedChange`.
        cases: how many cases both of two compared runs have rated; of several pairs of runs, the fewest.
        before, after: the mean of each arm over its runs; None where the tables of the report have no such metric.
        change: None where a run has no value.
    """

    judge: str
    measure: MetricName
    benign: bool
    task: str
    scenario: str
    understood: bool
    cases: int
    before: SeedMean | None
    after: SeedMean | None
    change: SeedChange | None


def compare_arms(before: Sequence[BenchRun], after: Sequence[BenchRun], tables: Sequence[Table]) -> list[ArmChange]:
    """Return the changes of each table's metrics: by task and over all tasks, over all cases and over scenarios.

    Args:
        tables: of the runs of both arms, in this order.

    Raises:
        RunError: two runs of an arm are of the same model, so that they are no two seeds.
    """
    for arm in (before, after):
        _require_different_models(arm)
    by_key: dict[ChangeKey, list[PairedChange]] = {}
    for first in before:
        for second in after:
            for change in compare_runs(first, second, tables):
                by_key.setdefault(_key(change), []).append(change)
    return [_arm_change(changes, len(before), len(after), tables) for changes in by_key.values()]


def _require_different_models(arm: Sequence[BenchRun]) -> None:
    seen: dict[str, BenchRun] = {}
    for run in arm:
        identity = run.manifest.identity
        served = identity.served and (identity.served.name, identity.served.reported)
        model = (identity.model, served, identity.lora, identity.answers, identity.generation)
        first = seen.setdefault(str(model), run)
        if first is not run:
            raise RunError(
                f"{first.label} and {run.label} are of the same model, so they are not two seeds",
                hint="Give runs of models that were made with different seeds: sea align ... -o seed=1",
                where=str(run.folder),
            )


def _key(change: PairedChange) -> ChangeKey:
    return change.judge, change.measure, change.benign, change.task, change.understood, change.scenario


def _arm_change(changes: Sequence[PairedChange], n_before: int, n_after: int, tables: Sequence[Table]) -> ArmChange:
    """Return the change with one key, from the paired changes of each run before to each run after, in this order."""
    judge, measure, benign, task, understood, scenario = _key(changes[0])
    levels = [] if understood else _levels(changes[0], tables)
    return ArmChange(
        judge=judge,
        measure=measure,
        benign=benign,
        task=task,
        scenario=scenario,
        understood=understood,
        cases=min(change.difference.pairs for change in changes),
        before=_mean(levels[:n_before]),
        after=_mean(levels[n_before:]),
        change=_change(changes, n_before, n_after),
    )


def _levels(change: PairedChange, tables: Sequence[Table]) -> list[Metric | None]:
    """Return the metric of each run that a table has for the task and scenario of a change; none if no table has it."""
    for table in tables:
        judge, measure = (table.over_refusal_judge, "refusal") if change.benign else (table.judge, table.measure)
        if (judge, measure) == (change.judge, change.measure):
            for row in table.rows:
                if (row.task, row.scenario) == (change.task, change.scenario):
                    return list(row.over_refusal if change.benign else row.metrics)
    return []


def _mean(metrics: Sequence[Metric | None]) -> SeedMean | None:
    """Return the mean of a metric over runs; None if a run has none."""
    known = [(m.value, m.interval) for m in metrics if m and m.value is not None and m.interval is not None]
    return seed_mean(known) if known and len(known) == len(metrics) else None


def _change(changes: Sequence[PairedChange], n_before: int, n_after: int) -> SeedChange | None:
    differences = [change.difference for change in changes]
    paired = [(d.value, d.interval) for d in differences if d.value is not None and d.interval is not None]
    ends = [(d.before, d.after) for d in differences if d.before is not None and d.after is not None]
    if not paired or not len(paired) == len(ends) == n_before * n_after:
        return None
    # Run i before and run j after are pair i * n_after + j. Which cases are rated in both differs a little.
    before = [fmean(first for first, _ in ends[i * n_after : (i + 1) * n_after]) for i in range(n_before)]
    after = [fmean(second for _, second in ends[j::n_after]) for j in range(n_after)]
    return seed_change(before, after, paired)
