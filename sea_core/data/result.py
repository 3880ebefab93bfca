"""What became of the records of a file: examples, skipped by a rule, or invalid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sea_core.data.examples import Example
from sea_core.data.formats.base import Format
from sea_core.data.record import Place, Record, SkipRecord
from sea_core.errors import DataError


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that a rule of its format skipped, and where it is."""

    where: str
    rule: str


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record that cannot be read.

    Attributes:
        where: the file and the line, for messages.
        number: the line of a text file, or the row of a table, from 1.
        column: the column at fault, in the file's own name; empty if it is not one column's.
        what: what is wrong.
        hint: what to change.
    """

    where: str
    number: int
    column: str
    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The content of a file. Each of its records gave examples, or is in `skipped`, or in `invalid`.

    Attributes:
        examples: in the order of the file. A record may give several.
        format: the name of the format they were read as.
        skipped: the records that the format's rules skipped.
        invalid: the records that cannot be read.
        notes: for each part of records that is not used, how many of the records read have it.
        unused_columns: the columns with values that no example was made of.
        encoding: of a text file, where it is not UTF-8.
        repeated_ids: how many ids got a number, since an earlier example has them.
        records: the number of records in the file.
        path: the file, the folder, or the name of a hub data set.
        digest: SHA-256 of what was read, so that a run detects that its data changed.
    """

    examples: tuple[Example, ...]
    format: str
    skipped: tuple[SkippedRecord, ...]
    invalid: tuple[InvalidRecord, ...]
    notes: dict[str, int]
    records: int
    path: Path
    digest: str
    unused_columns: tuple[str, ...] = ()
    encoding: str = ""
    repeated_ids: int = 0

    @property
    def skip_counts(self) -> dict[str, int]:
        """How many records each rule skipped; rules that skipped none are not listed."""
        return dict(Counter(record.rule for record in self.skipped))


@dataclass(slots=True)
class Accumulator:
    """Collects what became of the records. With `strict`, the first invalid record raises its DataError."""

    strict: bool
    records: int = 0
    examples: list[Example] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    invalid: list[InvalidRecord] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    columns: dict[str, None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    repeated_ids: int = 0

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """The columns with values that no example was made of, in the order of the file."""
        return tuple(name for name in self.columns if name not in self.used)

    def add(self, record: Record, format: Format) -> None:
        """Read one record with a format."""
        try:
            record.used.clear()  # detection reads columns too
            examples = self._with_own_ids(record, format.read(record))
        except SkipRecord as rule:
            self.skipped.append(SkippedRecord(record.where, str(rule)))
        except DataError as error:
            self.add_invalid(record.place, error)
        else:
            self.examples += examples
            self.notes.update(record.notes)
            self.used |= record.used
            self.columns |= {name: None for name, value in record.values.items() if value is not None}

    def add_invalid(self, place: Place, error: DataError) -> None:
        """Add an invalid record."""
        if self.strict:
            raise error
        self.invalid.append(
            InvalidRecord(error.where or str(place), place.number, error.column, error.what, error.hint)
        )

    def _with_own_ids(self, record: Record, examples: Sequence[Example]) -> list[Example]:
        """Return the examples, with a number behind each id that an earlier example has too."""
        made = []
        for example in examples:
            name, number = example.id, 1
            while name in self.ids:
                number += 1
                name = f"{example.id}~{number}"
            self.repeated_ids += number > 1
            self.ids.add(name)
            made.append(replace(example, id=name) if number > 1 else example)
        return made
