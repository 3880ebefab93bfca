"""Metrics as text: the cells of a table, and a table in Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from sea_bench.report.metrics import NAMES, Metric, Table, TableRow

Cells = list[list[str]]
_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", **{c: f"\\{c}" for c in "&%$#_"}}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def headings(table: Table, runs: Sequence[str]) -> list[str]:
    """Return the column headings. With two runs, a last column has the change from the first to the second."""
    pairs = [f"{run}: {name}" for run in runs for name in (NAMES[table.measure], "over-refusal")]
    return ["task", "scenario", *pairs, *["change"] * (len(runs) == 2)]


def cells(table: Table) -> Cells:
    """Return the cells of a table."""
    return [_row_cells(row) for row in table.rows]


def title(table: Table) -> str:
    """Return the metric and its judge, and the judge of over-refusal if that is another one."""
    other = table.over_refusal_judge not in ("", table.judge)
    return f"{NAMES[table.measure]} by {table.judge}" + (f"; over-refusal by {table.over_refusal_judge}" * other)


def format_metric(metric: Metric | None) -> str:
    """Return `0.345 (0.298 to 0.394)`: the ratio and its 95 % interval, with bounds if answers are unrated."""
    if metric is None:
        return "-"
    value = "-" if metric.value is None else f"{metric.value:.3f}"
    interval = "" if metric.interval is None else " ({:.3f} to {:.3f})".format(*metric.interval)
    loose = f", {metric.loose:.3f} loose" if metric.loose is not None and metric.loose != metric.value else ""
    unrated = metric.cases - metric.rated
    bounds = ""
    if unrated and metric.bounds:
        bounds = " [{:.3f}, {:.3f}]; {} of {} unrated".format(*metric.bounds, unrated, metric.cases)
    return value + interval + loose + bounds


def markdown(name: str, columns: Sequence[str], rows: Cells) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    escaped = ("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return "\n".join([f"**{name}**", "", *escaped, ""])


def latex(name: str, columns: Sequence[str], rows: Cells) -> str:
    """Return a LaTeX table in the style of booktabs."""
    body = [" & ".join(map(escape_latex, line)) + r" \\" for line in rows]
    head = " & ".join(map(escape_latex, columns)) + r" \\"
    spec = "ll" + "r" * (len(columns) - 2)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(name)}}}",
            rf"\begin{{tabular}}{{{spec}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape_latex(text: str) -> str:
    """Escape LaTeX's special characters."""
    return "".join(_LATEX.get(character, character) for character in text)


def _row_cells(row: TableRow) -> list[str]:
    pairs = zip(row.metrics, row.over_refusal, strict=True)
    metrics = [format_metric(metric) for pair in pairs for metric in pair]
    change = [_change(*row.metrics)] if len(row.metrics) == 2 else []
    return [row.task, row.scenario, *metrics, *change]


def _change(before: Metric | None, after: Metric | None) -> str:
    if before is None or after is None or before.value is None or after.value is None:
        return "-"
    return f"{after.value - before.value:+.3f}"
