"""CSV and TSV, with the line on which each row starts."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sea_core.data.record import Place, quoted
from sea_core.data.sources.text import Item, text_lines
from sea_core.errors import DataError, at

DELIMITERS = ",\t;|"


def csv_values(path: Path, encoding: str = "utf-8") -> Iterator[Item]:
    """Yield each row of a CSV or TSV file as an object of texts, with the line it starts on; an empty cell is null.

    The first line names the columns; the first column may have no name, as pandas writes its index. The delimiter is
    the most frequent of comma, tab, semicolon and bar in it.

    Raises:
        DataError: the rest of the file cannot be read: it is corrupt, has no header, or a quote is never closed.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a cell may hold a whole dialogue
    lines = _CountedLines(path, encoding)
    header = next(lines, "")
    rows = csv.reader(lines, delimiter=max(DELIMITERS, key=header.count), strict=True)
    lines.push_back(header)
    names: list[str] | None = None
    while True:
        start = lines.next_number
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Place(path, start), _syntax_error(path, start, lines, error)
            continue
        if unreadable := lines.take_error():
            yield Place(path, start), unreadable
        elif names is None and cells:
            names = _column_names(path, start, cells)
        elif names is not None and cells:
            yield Place(path, start), _object(path, start, names, cells)


class _CountedLines:
    """The lines of a file, counted. A line that is not text is read as an empty one, and its error is kept."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.number = 0
        self.ended = False
        self._lines = text_lines(path, encoding)
        self._pushed_back = ""
        self._error: DataError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._pushed_back:
            line, self._pushed_back = self._pushed_back, ""
            return line
        found = next(self._lines, None)
        if found is None:
            self.ended = True
            raise StopIteration
        self.number, text = found
        if isinstance(text, DataError):
            self._error = self._error or text
            return "\n"
        return text

    @property
    def next_number(self) -> int:
        """The number of the line that comes next."""
        return self.number + (0 if self._pushed_back else 1)

    def push_back(self, line: str) -> None:
        """Return a line again that was read already."""
        self._pushed_back = line

    def take_error(self) -> DataError | None:
        """Return the error of an unreadable line since the last call, if there was one."""
        error, self._error = self._error, None
        return error


def _syntax_error(path: Path, start: int, lines: _CountedLines, error: csv.Error) -> DataError:
    if lines.ended:  # a quote swallowed the rest, and how many rows that was is unknown
        raise DataError(
            f"A quote is opened on this line and never closed: all up to line {lines.number} would be one cell.",
            where=at(path, start),
            hint='Close the quote; a quote inside a quoted cell is written twice: "".',
        )
    return lines.take_error() or DataError(
        f"This is not CSV: {error}.",
        where=at(path, start),
        hint='Quote a cell that contains quotes, and write these twice: "say ""no""".',
    )


def _column_names(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    nameless = names == [""] or not all(names[1:])  # the first is pandas' index
    if duplicates or nameless:
        what = "leaves a column without a name" if nameless else f"names {quoted(duplicates)} twice"
        raise DataError(
            f"The first line must name the columns, but it {what}.",
            where=at(path, line),
            hint="Give each column its own name in the first line: instruction,response",
        )
    return names


def _object(path: Path, line: int, names: list[str], cells: list[str]) -> Any:
    if len(cells) != len(names):
        return DataError(
            f"The row has {len(cells)} cell{'s' if len(cells) > 1 else ''}, and the first line names {len(names)} "
            f"columns: {quoted(names)}.",
            where=at(path, line),
            hint='Quote a cell that contains the delimiter or a line break: "One, two".',
        )
    return {name: cell if cell.strip() else None for name, cell in zip(names, cells, strict=True)}
