"""CSV and TSV, with the line on which each row starts."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sea_core.data.record import Place, quoted
from sea_core.data.sources.text import Item, text_lines
from sea_core.errors import DataError, at

DELIMITERS = ",\t;|"


def csv_values(path: Path) -> Iterator[Item]:
    """Yield each row of a CSV or TSV file as an object of texts, with the line it starts on; an empty cell is null.

    The first line names the columns. What divides them is the commonest of comma, tab, semicolon and bar in it.

    Raises:
        DataError: the file cannot be read any further: it is damaged, has no header, or a quote is never closed.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a cell may hold a whole dialogue
    lines = _Counted(path)
    header = next(lines, "")
    rows = csv.reader(lines, delimiter=max(DELIMITERS, key=header.count), strict=True)
    lines.again = header
    names: list[str] | None = None
    while True:
        start = lines.number + (0 if lines.again else 1)
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Place(path, start), _not_csv(path, start, lines, error)
            continue
        if broken := lines.take_broken():
            yield Place(path, start), broken
        elif names is None and cells:
            names = _header(path, start, cells)
        elif names is not None and cells:
            yield Place(path, start), _object(path, start, names, cells)


class _Counted:
    """The lines of a file, counted; a line that is no text is remembered and given as an empty one."""

    def __init__(self, path: Path) -> None:
        self.lines = text_lines(path)
        self.number = 0
        self.again = ""
        self.ended = False
        self.broken: DataError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.again:
            again, self.again = self.again, ""
            return again
        found = next(self.lines, None)
        if found is None:
            self.ended = True
            raise StopIteration
        self.number, line = found
        if isinstance(line, DataError):
            self.broken = self.broken or line
            return "\n"
        return line

    def take_broken(self) -> DataError | None:
        broken, self.broken = self.broken, None
        return broken


def _not_csv(path: Path, start: int, lines: _Counted, error: csv.Error) -> DataError:
    if lines.ended:  # A quote took in all that follows: nobody can tell how many rows that was.
        raise DataError(
            f"A quote is opened on this line and never closed: all up to line {lines.number} would be one cell.",
            where=at(path, start),
            hint='Close the quote; a quote inside a quoted cell is written twice: "".',
        )
    return lines.take_broken() or DataError(
        f"This is not CSV: {error}.",
        where=at(path, start),
        hint='Put a cell with quotes in it into quotes, and write these twice: "say ""no""".',
    )


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice or not all(names):
        what = f"names {quoted(twice)} twice" if twice else "leaves a column without a name"
        raise DataError(
            f"The first line must name the columns, but it {what}.",
            where=at(path, line),
            hint="Give each column a name of its own in the first line: instruction,response",
        )
    return names


def _object(path: Path, line: int, names: list[str], cells: list[str]) -> Any:
    if len(cells) != len(names):
        return DataError(
            f"The row has {len(cells)} cell{'s' if len(cells) > 1 else ''}, and the first line names {len(names)} "
            f"columns: {quoted(names)}.",
            where=at(path, line),
            hint='Put a cell with the dividing character or a line end in it into quotes: "One, two".',
        )
    return {name: cell if cell.strip() else None for name, cell in zip(names, cells, strict=True)}
