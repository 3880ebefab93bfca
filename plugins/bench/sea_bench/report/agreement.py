"""How far judges agree about the same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypedDict

from sea_bench.labels.labels import label_verdicts
from sea_bench.report.metrics import METRIC_NAMES, MetricName, Verdicts, decided_metrics, ratings
from sea_bench.run.records import BenchVerdict
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.statistics import wilson_interval


class Disagreement(TypedDict):
    """An answer that two judges rate differently, with both verdicts by judge."""

    key: str
    question: str
    answer: str
    verdicts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on those answers of one run that both have rated.

    Attributes:
        rated: how many answers that are.
        raw: the ratio of answers that they rate alike.
        kappa: Cohen's kappa; None if chance alone would explain full agreement. interval: its 95 % interval.
        disagreements: the answers that they rate differently.
    """

    run: str
    measure: MetricName
    judges: tuple[str, str]
    rated: int
    raw: float | None
    kappa: float | None
    interval: tuple[float, float] | None
    disagreements: tuple[Disagreement, ...]


def compare_judges(runs: Sequence[BenchRun], only: Sequence[str] = ()) -> list[Agreement]:
    """Return the agreement of each pair of judges of each run, on safety and on refusals.

    Args:
        only: names of judges; all if empty.
    """
    agreements = []
    for run in runs:
        verdicts = {judge: each for judge, each in run.verdicts_by_judge().items() if not only or judge in only}
        agreements += _compare_pairs(run, verdicts)
    return agreements


def compare_people(runs: Sequence[BenchRun]) -> list[Agreement]:
    """Return the agreement of each pair of people who labelled answers of the same run, as if they were judges."""
    return [agreement for run in runs for agreement in _compare_pairs(run, label_verdicts(run))]


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Return Cohen's kappa of two judges' binary ratings."""
    if not pairs or (chance := _chance(pairs)) == 1:
        return None
    raw = sum(a == b for a, b in pairs) / len(pairs)
    return (raw - chance) / (1 - chance)


def kappa_interval(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float] | None:
    """Return the 95 % interval of kappa: Wilson's of the raw agreement, less chance as it is (Cohen 1960)."""
    raw = wilson_interval(sum(a == b for a, b in pairs), len(pairs))
    if raw is None or (chance := _chance(pairs)) == 1:
        return None
    low, high = ((ratio - chance) / (1 - chance) for ratio in raw)
    return max(-1.0, low), high  # no table has a kappa below -1, whatever its chance


def _chance(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Return the agreement of two judges who rate as often as these, and at random."""
    first, second = (sum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1))
    return first * second + (1 - first) * (1 - second)


def _compare_pairs(run: BenchRun, verdicts: Mapping[str, Verdicts]) -> list[Agreement]:
    agreements = []
    for measure in METRIC_NAMES:
        judges = [judge for judge, each in verdicts.items() if measure in decided_metrics([each])]
        agreements += [_compare(run, measure, pair, verdicts) for pair in combinations(judges, 2)]
    return agreements


def _compare(
    run: BenchRun, measure: MetricName, judges: tuple[str, str], verdicts: Mapping[str, Verdicts]
) -> Agreement:
    first, second = (ratings(verdicts[judge], measure) for judge in judges)
    records = run.answered_records()
    keys = [key for key in records if first.get(key) is not None and second.get(key) is not None]
    pairs = [(bool(first[key]), bool(second[key])) for key in keys]
    disagreements = tuple(
        Disagreement(
            key=key,
            question=records[key]["question"],
            answer=records[key]["answer"],
            verdicts={judge: _label(verdicts[judge][key], measure) for judge in judges},
        )
        for key, (a, b) in zip(keys, pairs, strict=True)
        if a != b
    )
    raw = sum(a == b for a, b in pairs) / len(pairs) if pairs else None
    return Agreement(run.label, measure, judges, len(pairs), raw, kappa(pairs), kappa_interval(pairs), disagreements)


def _label(verdict: BenchVerdict, measure: MetricName) -> str:
    if measure == "asr":
        return str(verdict["verdict"])
    return "refused" if verdict["refused"] else "not_refused"
