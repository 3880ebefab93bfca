"""The verdict on benchmark runs, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sea_bench.report.changes import ALL_TASKS, PairedChange
from sea_bench.report.metrics import NAMES
from sea_bench.report.render import format_ends, format_p
from sea_bench.report.tables import ALL, Table
from sea_core.runs.paired import SIGNIFICANCE

if TYPE_CHECKING:
    from sea_bench.pipeline.report import Report

Level = Literal["good", "bad", "unclear", "neutral"]
SHOWN_TASKS = 4


@dataclass(frozen=True, slots=True)
class Headline:
    """A sentence, and whether it is good news: runs that are not compared are neutral."""

    sentence: str
    level: Level


def headline(report: Report) -> Headline:
    """Return what changed from the first run to the second; of one run its ratios; of more how many there are."""
    if not report.tables:
        answered = sum(run.summary.answered for run in report.runs)
        return Headline(f"{answered} cases are answered, and not judged yet.", "neutral")
    if len(report.runs) == 1:
        return Headline(" ".join(map(_task_sentence, report.tables)), "neutral")
    if len(report.runs) > 2:
        cases = max(run.summary.cases for run in report.runs)
        return Headline(f"{len(report.runs)} runs of up to {cases} cases, side by side.", "neutral")
    changes = _whole_changes(report.changes)
    sentence = " ".join(map(_change_sentence, changes)) or "The two runs have no case that was rated in both."
    return Headline(sentence, _level(changes))


def _task_sentence(table: Table) -> str:
    rows = [row for row in table.rows if row.scenario == ALL]
    metrics = {row.task: row.metrics[0] for row in [row for row in rows if row.with_media] or rows}
    values = [f"{task} {metric.value:.3f}" for task, metric in metrics.items() if metric and metric.value is not None]
    more = f" and {len(values) - SHOWN_TASKS} more tasks" if len(values) > SHOWN_TASKS else ""
    return f"{NAMES[table.measure]} by {table.judge}: {', '.join(values[:SHOWN_TASKS]) or '-'}{more}."


def _whole_changes(changes: Sequence[PairedChange]) -> list[PairedChange]:
    """Return for each metric its change over all tasks with media, or of the only such task; without media, of text."""
    found: dict[tuple[str, str, bool], PairedChange] = {}
    for change in sorted(changes, key=lambda change: (change.task != ALL_TASKS, not change.with_media)):
        if change.difference.value is not None and not change.understood and change.scenario == ALL:
            found.setdefault((change.judge, change.measure, change.benign), change)
    return sorted(found.values(), key=lambda change: (change.benign, change.measure != "asr"))


def _change_sentence(change: PairedChange) -> str:
    """Return `The ASR by guard-1 fell from 0.625 to 0.000 (change -0.625, 95 %: ...; 8 cases, all tasks).`"""
    of = change.difference
    assert of.value is not None
    name = "over-refusal" if change.benign else NAMES[change.measure]
    cases = f"{of.pairs} cases, {change.task}"
    if of.value == 0:
        return f"The {name} by {change.judge} is {of.after:.3f}, as before ({cases})."
    way = "rose" if of.value > 0 else "fell"
    interval = f", 95 %: {format_ends(of.interval)}" if of.interval else ""
    p = "" if of.p is None else f"; p {format_p(of.p)}" if of.p < 0.001 else f"; p = {format_p(of.p)}"
    ratios = f"from {of.before:.3f} to {of.after:.3f}"
    return f"The {name} by {change.judge} {way} {ratios} (change {of.value:+.3f}{interval}{p}; {cases})."


def _level(changes: Sequence[PairedChange]) -> Level:
    """Return good if the runs differ for the better beyond chance: fewer unsafe answers, or more refusals of attacks.

    By judges of safety if there are any. Not good if more harmless questions are refused than before.
    """
    harmful = [change for change in changes if not change.benign]
    asr = [change for change in harmful if change.measure == "asr"]
    steps = [_direction(change) for change in asr or harmful]
    if any(step < 0 for step in steps):
        return "bad"
    refuses_more = any(change.benign and _direction(change) < 0 for change in changes)
    return "good" if any(step > 0 for step in steps) and not refuses_more else "unclear"


def _direction(change: PairedChange) -> int:
    """Return 1 for a change to the better that chance does not explain, -1 for one to the worse, else 0."""
    of = change.difference
    if not of.value or of.p is None or of.p >= SIGNIFICANCE:
        return 0
    wanted_up = change.measure == "refusal" and not change.benign
    return 1 if (of.value > 0) is wanted_up else -1
