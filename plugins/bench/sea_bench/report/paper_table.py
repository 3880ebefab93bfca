"""The tables of a report in the paper's layout: scenarios below each other, tasks and runs beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_bench.case import ALL, MEAN
from sea_bench.report.metrics import NAMES
from sea_bench.report.render import TextTable, format_metric
from sea_bench.report.tables import Table

if TYPE_CHECKING:
    from sea_bench.pipeline.report import Report

PAPER_NOTE = "In parentheses: the 95 % interval."


def paper_tables(report: Report) -> list[TextTable]:
    """Return a table for each judge and measure, and one of over-refusal for each judge of refusals.

    ASR comes first. A column is headed `TASK: RUN`, or `TASK` where there is one run.
    """
    tables = sorted(report.tables, key=lambda table: table.measure != "asr")
    found = [_pivot(table, report.labels, benign=False) for table in tables]
    seen: set[str] = set()
    for table in tables:
        judge = table.over_refusal_judge
        if judge not in seen and any(metric for row in table.rows for metric in row.over_refusal):
            found.append(_pivot(table, report.labels, benign=True))
        seen.add(judge)
    return found


def _pivot(table: Table, labels: list[str], *, benign: bool) -> TextTable:
    side = {
        (row.scenario, row.task, label): metric
        for row in table.rows
        for label, metric in zip(labels, row.over_refusal if benign else row.metrics, strict=True)
    }
    filled = {(scenario, task) for (scenario, task, _), metric in side.items() if metric}
    tasks = [task for task in dict.fromkeys(row.task for row in table.rows) if any(task == each for _, each in filled)]
    scenarios = [name for name in dict.fromkeys(row.scenario for row in table.rows) if name not in (MEAN, ALL)]
    shown = [name for name in scenarios if any(name == each for each, _ in filled)]
    columns = [(task, label) for task in tasks for label in labels]
    headings = [f"{task}: {label}" if len(labels) > 1 else task for task, label in columns]
    name = f"over-refusal by {table.over_refusal_judge}" if benign else f"{NAMES[table.measure]} by {table.judge}"
    rows = [
        [scenario, *(format_metric(side.get((scenario, task, label))) for task, label in columns)]
        for scenario in (*shown, MEAN, ALL)
    ]
    return TextTable(f"{name}, by scenario and task", ["scenario", *headings], rows)
