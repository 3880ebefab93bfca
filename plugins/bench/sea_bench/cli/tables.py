"""How the commands print the tables of a report: the option --format, and the printing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output

if TYPE_CHECKING:
    from sea_bench.report.render import TextTable

FORMATS = ("table", "markdown", "latex", "json")


def _check(value: str) -> str:
    """Return a format. Raises SeaError if there is no such one."""
    from sea_core.errors import SeaError, suggest

    if value not in FORMATS:
        raise SeaError(f"there is no format {value!r}", hint=suggest(value, FORMATS))
    return value


Format = Annotated[str, typer.Option("--format", callback=_check, help="table, markdown, latex or json.")]


def print_table(table: TextTable, format: str) -> None:
    """Print a table of a report in one of FORMATS but json."""
    from sea_bench.report.render import latex, markdown

    if format == "table":
        output.emit(None, False, lambda: output.grid(table.columns, table.rows, table.title))
    else:
        output.lines((markdown if format == "markdown" else latex)(table))
