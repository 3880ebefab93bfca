"""Which rows the page has where there are too many, and which rows a figure leads to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from sea_core.report.content import Cell, Filter, PageTable

T = TypeVar("T")

FIGURE = re.compile(r"[<+-]?\s?\.?\d[\d.,]*(?: of \d+)?[:,]?(?!\S)")
"""How a cell with a figure begins: with a number or a count, such as `36 of 39`."""


def sample_rows(
    candidates: Sequence[T], limit: int, group: Callable[[T], object], first: Callable[[T], bool] = lambda item: False
) -> list[T]:
    """Return at most `limit` of the candidates, in their order, evenly over groups.

    Args:
        group: what a candidate is counted with, such as its task and scenario.
        first: whether a candidate is among the first of its group: those that people want to read.
    """
    groups: dict[object, list[int]] = {}
    for number, candidate in enumerate(candidates):
        groups.setdefault(group(candidate), []).append(number)
    ordered = [sorted(numbers, key=lambda number: not first(candidates[number])) for numbers in groups.values()]
    turns = chain.from_iterable(zip_longest(*ordered))
    chosen = [number for number in turns if number is not None][:limit]
    return [candidates[number] for number in sorted(chosen)]


def linked_table(
    title: str,
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    choices: Mapping[str, Sequence[str]],
    *,
    cell_filter: Callable[[str, Sequence[str]], Filter] = lambda column, texts: {},
    note: str = "",
    folded: bool = False,
) -> PageTable:
    """Return a table of texts whose figures lead to their rows.

    A cell in a column with the name of a label, such as `task`, selects the rows with that value.

    Args:
        choices: the values that rows have, by label or key of a verdict.
        cell_filter: what a figure selects besides, from the heading of its column and the texts of its row.
    """
    named = {number: column for number, column in enumerate(columns) if column in choices}

    def cell(number: int, texts: Sequence[str], of_row: Filter) -> Cell:
        if number in named or not is_figure(texts[number]):
            return Cell(texts[number])
        return Cell(texts[number], {**of_row, **cell_filter(columns[number], texts)})

    rows = []
    for texts in cells:
        found = {name: _match(texts[number], choices[name]) for number, name in named.items()}
        of_row = {name: value for name, value in found.items() if value}
        rows.append([cell(number, texts, of_row) for number in range(len(columns))])
    return PageTable(title, columns, rows, note, folded)


def is_figure(text: str) -> bool:
    """Return whether a cell begins with a number."""
    return FIGURE.match(text) is not None


def _match(text: str, values: Sequence[str]) -> str:
    """Return the value that a cell is, or begins with; empty if there is none."""
    matching = [value for value in values if text == value or text.startswith((f"{value} (", f"{value}, "))]
    return max(matching, key=len, default="")
