"""The sample as a table, for people who label without a browser: write it, and read the labels from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sea_bench.labels.labels import LABELS
from sea_bench.labels.sample import LabelSample
from sea_bench.run.records import PersonLabel
from sea_core.data.record import Place, quoted
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError, SeaError, suggest, visible
from sea_core.llm.reasoning import answer_text
from sea_core.runs.atomic import write_text

COLUMNS = ("id", "label", "question", "text", "medium", "answer")
WITHDRAW = "withdraw"
"""In the column label: takes back the label that is stored."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula: a spreadsheet would run a text of somebody else."""
HINT = "Read it with the runs, --sample and --seed that it was written with, and keep the column id as it is."


@dataclass(frozen=True, slots=True)
class TableLabels:
    """What reading a table has changed.

    Attributes:
        new: how many labels are stored that were not, or were others. withdrawn: how many were taken back.
        kept: how many cells are empty while a label is stored, which stays.
    """

    new: int
    withdrawn: int
    kept: int


@dataclass(frozen=True, slots=True)
class _Cell:
    """The cell `label` of an answer, stripped and in small letters: a label, WITHDRAW, or nothing."""

    place: Place
    text: str


def write_table(sample: LabelSample, path: Path) -> None:
    """Write the sample as CSV, with the labels that this person has given.

    Raises:
        SeaError: the file's name is not that of a CSV file, so that it could not be read again.
        RunError: the disk is full or not writable.
    """
    if path.suffix.lower() != ".csv":
        proposed = path.with_name(f"{path.name.partition('.')[0]}.csv")
        raise SeaError(
            f"the sample is written as CSV, and the name {path.name} does not end in .csv",
            hint=f"Type --table {proposed}",
        )
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    for answer, label in zip(sample.answers, sample.read(), strict=True):
        record = answer.record
        texts = (record["question"], record["prompt"], record["media"] or "", answer_text(record["answer"]))
        table.writerow([answer.id, label or "", *map(_cell, texts)])
    write_text(path, file.getvalue())


def read_table(sample: LabelSample, path: Path) -> TableLabels:
    """Store the labels of a table that `write_table` wrote. An empty cell changes nothing.

    Raises:
        DataError: the file is not such a table, a label is unknown, or an answer has two; or the sample has further
            answers without a label, which would reach nobody.
    """
    cells, present = _read_cells(sample, path), sample.read()
    changed = {
        number: label for number, cell in cells.items() if cell.text and (label := _label(cell.text)) != present[number]
    }
    for number, label in changed.items():
        sample.add(number, label)
    withdrawn = sum(label is None for label in changed.values())
    found = TableLabels(
        new=len(changed) - withdrawn,
        withdrawn=withdrawn,
        kept=sum(not cell.text and present[number] is not None for number, cell in cells.items()),
    )
    missing = sum(label is None and number not in cells for number, label in enumerate(present))
    if missing:
        raise DataError(
            f"{missing} of the {len(present)} answers of this sample are not in the table, and have no label. "
            f"Its labels are stored, {found.new} of them new",
            where=str(path),
            hint="Write them all to another file, with the labels that there are: --table NEW.csv",
        )
    return found


def _label(text: str) -> PersonLabel | None:
    """Return the label of a cell that is not empty; None for one that takes a label back."""
    return next((label for label in LABELS if label == text), None)


def _read_cells(sample: LabelSample, path: Path) -> dict[int, _Cell]:
    """Return the cell of each answer in the table by its number. All of it is checked before anything is stored."""
    found: dict[int, _Cell] = {}
    for place, row in open_source(path).items:
        if isinstance(row, DataError):
            raise row
        _require_columns(row, place)
        number = sample.find(str(row["id"]))
        text = str(row.get("label") or "").strip().lower()
        if number is None:
            raise DataError("this answer is not in the sample", where=str(place), hint=HINT)
        if text not in ("", WITHDRAW, *LABELS):
            raise DataError(
                f"there is no label {text!r}", where=str(place), hint=suggest(text, [*LABELS, WITHDRAW], "Labels")
            )
        first = found.setdefault(number, _Cell(place, text))
        if first.text != text:
            raise DataError(
                f"this answer has {_named(text)} here, and {_named(first.text)} at {first.place}",
                where=str(place),
                hint="Keep one of the two rows.",
            )
    return found


def _named(text: str) -> str:
    return f"the label {text!r}" if text else "no label"


def _require_columns(row: object, place: Place) -> None:
    """Raise DataError if a row has no id or no label, not even an empty one."""
    found = list(row) if isinstance(row, Mapping) else []
    for name in ("id", "label"):
        if name not in found:
            raise DataError(
                f'The column "{name}" is missing. Found: {quoted(found) or "no columns"}.',
                where=str(place),
                hint=f"Name it {name}: a table that was written with --table has it.",
                column=name,
            )


def _cell(text: str) -> str:
    """Return a text that a spreadsheet shows and does not run."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
