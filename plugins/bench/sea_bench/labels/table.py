"""The sample as a table, for people who label without a browser: write it, and read the labels from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from sea_bench.labels.labels import LABELS
from sea_bench.labels.sample import LabelSample
from sea_bench.run.records import PersonLabel
from sea_core.data.record import Place, quoted
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError, suggest, visible
from sea_core.llm.reasoning import answer_text
from sea_core.runs.atomic import write_text

COLUMNS = ("id", "label", "question", "text", "medium", "answer")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula: a spreadsheet would run a text of somebody else."""
HINT = "Read it with the runs, --sample and --seed that it was written with, and keep the column id as it is."


def write_table(sample: LabelSample, path: Path) -> None:
    """Write the sample as CSV, with the labels that this person has given.

    Raises:
        RunError: the disk is full or not writable.
    """
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    for answer, label in zip(sample.answers, sample.read(), strict=True):
        record = answer.record
        texts = (record["question"], record["prompt"], record["media"] or "", answer_text(record["answer"]))
        table.writerow([answer.id, label or "", *map(_cell, texts)])
    write_text(path, file.getvalue())


def read_table(sample: LabelSample, path: Path) -> int:
    """Store the labels of a table that `write_table` wrote, and return how many of them are new.

    Raises:
        DataError: the file is not such a table, or a label is unknown; or the sample has further answers without a
            label, which would reach nobody.
    """
    listed, present, new = _read_labels(sample, path), sample.read(), 0
    for number, label in listed.items():
        if label and label != present[number]:
            sample.add(number, label)
            new += 1
    missing = sum(label is None and number not in listed for number, label in enumerate(present))
    if missing:
        raise DataError(
            f"{missing} of the {len(present)} answers of this sample are not in the table, and have no label. "
            f"Its labels are stored, {new} of them new",
            where=str(path),
            hint="Write them all to another file, with the labels that there are: --table NEW.csv",
        )
    return new


def _read_labels(sample: LabelSample, path: Path) -> dict[int, PersonLabel | None]:
    """Return the label of each answer in the table by its number. All of it is checked before anything is stored."""
    found: dict[int, PersonLabel | None] = {}
    for place, row in open_source(path).items:
        if isinstance(row, DataError):
            raise row
        _require_columns(row, place)
        number = sample.find(str(row["id"]))
        label = str(row.get("label") or "").strip().lower()
        if number is None:
            raise DataError("this answer is not in the sample", where=str(place), hint=HINT)
        if label and label not in LABELS:
            raise DataError(f"there is no label {label!r}", where=str(place), hint=suggest(label, LABELS, "Labels"))
        found[number] = label or None
    return found


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
