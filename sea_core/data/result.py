"""What the records of a file became: rows, left out by a rule, or bad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sea_core.data.examples import Example
from sea_core.data.formats.registry import Format
from sea_core.data.record import Place, Record, SkipRecord
from sea_core.errors import DataError


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that a rule of its format left out, and where it stands."""

    where: str
    rule: str


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record that cannot be read: where it stands, in which column, what was expected, what to do.

    `number` is its line or, in a table, its row; `column` is empty where it is not one column's fault.
    """

    where: str
    number: int
    column: str
    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a file holds. Each of its records gave rows, or is in `left`, or in `bad`.

    Attributes:
        rows: the rows kept, in the order of the file. A record may give several.
        format: the name of the format they were read as.
        left: the records that the format's rules left out.
        bad: the records that cannot be read.
        noted: how many of the records kept have something that is not used, by what it is.
        records: how many records there are in all.
        path: the file, the folder, or the name on the hub.
        digest: SHA-256 of what was read, so that a run can tell whether its data changed.
    """

    examples: tuple[Example, ...]
    format: str
    skipped: tuple[SkippedRecord, ...]
    invalid: tuple[InvalidRecord, ...]
    notes: dict[str, int]
    records: int
    path: Path
    digest: str

    @property
    def skip_counts(self) -> dict[str, int]:
        """How many records each rule left out; a rule that left out none is not listed."""
        return dict(Counter(left.rule for left in self.skipped))


@dataclass(slots=True)
class Accumulator:
    """What the records became so far. With `strict`, the first bad one raises its DataError."""

    strict: bool
    records: int = 0
    examples: list[Example] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    invalid: list[InvalidRecord] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    line_by_id: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record, reader: Format) -> None:
        """Read one record."""
        try:
            rows = reader.read(record)
            self._check_ids(record, rows)
        except SkipRecord as rule:
            self.skipped.append(SkippedRecord(record.where, str(rule)))
        except DataError as error:
            self.add_invalid(record.place, error)
        else:
            self.examples += rows
            self.notes.update(record.notes)

    def add_invalid(self, place: Place, error: DataError) -> None:
        """List a bad record."""
        if self.strict:
            raise error
        self.invalid.append(
            InvalidRecord(error.where or str(place), place.number, error.column, error.what, error.hint)
        )

    def _check_ids(self, record: Record, rows: Sequence[Example]) -> None:
        unit = record.place.unit
        for row in rows:
            if first := self.line_by_id.get(row.id):
                raise DataError(
                    f'The id "{row.id}" is used twice, on {unit} {first} and on {unit} {record.line}.',
                    where=record.where,
                    hint='Give each row an id of its own, or take the column "id" out: SEA then makes ids itself.',
                    column=record.column_name("id"),
                )
        self.line_by_id.update((row.id, record.line) for row in rows)
