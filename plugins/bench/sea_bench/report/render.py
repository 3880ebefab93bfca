"""Figures as text: the cells of a table, and a table in Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from sea_bench.report.metrics import NAMES, Line, Metric, Table

Cells = list[list[str]]
_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", **{c: f"\\{c}" for c in "&%$#_"}}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def headings(table: Table, runs: Sequence[str]) -> list[str]:
    """Return the names of the columns; with two runs, a last one says how the figure changed from one to the other."""
    two = [f"{run}: {name}" for run in runs for name in (NAMES[table.what], "over-refusal")]
    return ["task", "scenario", *two, *["change"] * (len(runs) == 2)]


def cells(table: Table) -> Cells:
    """Return a table's lines as text."""
    return [_line(line) for line in table.lines]


def title(table: Table) -> str:
    """Return who says what, and who told the over-refusals."""
    twin = f"; over-refusal by {table.twin_judge}" if table.twin_judge not in ("", table.judge) else ""
    return f"{NAMES[table.what]} by {table.judge}{twin}"


def text(figure: Metric | None) -> str:
    """Return `0.345 (0.298 to 0.394)`: the share and its 95 % interval, with bounds where answers are unrated."""
    if figure is None:
        return "-"
    value = "-" if figure.value is None else f"{figure.value:.3f}"
    sure = "" if figure.interval is None else " ({:.3f} to {:.3f})".format(*figure.interval)
    mild = f", {figure.loose:.3f} loose" if figure.loose is not None and figure.loose != figure.value else ""
    missing = figure.cases - figure.rated
    bounds = (
        " [{:.3f}, {:.3f}]; {} of {} unrated".format(*figure.bounds, missing, figure.cases)
        if missing and figure.bounds
        else ""
    )
    return value + sure + mild + bounds


def markdown(name: str, columns: Sequence[str], rows: Cells) -> str:
    """Draw a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    drawn = ("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return "\n".join([f"**{name}**", "", *drawn, ""])


def latex(name: str, columns: Sequence[str], rows: Cells) -> str:
    """Draw a LaTeX table in the style of booktabs."""
    body = [" & ".join(map(escaped, line)) + r" \\" for line in rows]
    head = " & ".join(map(escaped, columns)) + r" \\"
    spec = "ll" + "r" * (len(columns) - 2)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(name)}}}",
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


def escaped(text: str) -> str:
    """Return text as LaTeX prints it."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _line(line: Line) -> list[str]:
    both = [text(figure) for pair in zip(line.metrics, line.twins, strict=True) for figure in pair]
    return [line.task, line.scenario, *both, *([_change(*line.metrics)] if len(line.metrics) == 2 else [])]


def _change(before: Metric | None, after: Metric | None) -> str:
    if before is None or after is None or before.value is None or after.value is None:
        return "-"
    return f"{after.value - before.value:+.3f}"
