"""What a format is."""

from __future__ import annotations

from typing import Protocol

from sea_core.data.examples import Example
from sea_core.data.record import Record


class Format(Protocol):
    """The column convention of a data set: how one record of it becomes examples.

    A plugin returns its formats from the hook `sea_formats`; `--format NAME` and format detection then know them. A
    complete one:

        from dataclasses import dataclass

        from sea_core.data.examples import Example
        from sea_core.data.formats.common import build_example
        from sea_core.data.record import Record, SkipRecord

        @dataclass(frozen=True)
        class Rated:
            name: str = "rated"
            columns: tuple[str, ...] = ("question", "answer", "rating")

            def matches(self, record: Record) -> bool:
                return record.has("question", "answer", "rating")

            def read(self, record: Record) -> list[Example]:
                if not record.has(*self.columns):
                    raise record.missing_error(self.columns, "The format rated needs them in every record.")
                if not record.flag("rating"):
                    raise SkipRecord("the answer is rated bad")
                return [build_example(record, record.text("question"), record.text("answer"))]

    `Record` reads a column as text, flag, number or list, and raises a DataError with file and line if it cannot.
    `build_example` makes the example: it adds id, label and media, and skips empty or equal answers.
    """

    @property
    def name(self) -> str:
        """What `--format` takes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it can read, by their names in the data set; `--columns` can rename these, and "id"."""

    def matches(self, record: Record) -> bool:
        """Return whether the file has this format, by the columns of one of its first records.

        If several formats match, the user is asked to choose. It must not raise: use `has` and `peek`.
        """

    def read(self, record: Record) -> list[Example]:
        """Return the examples of a record, at least one.

        Raises:
            DataError: the record is invalid.
            SkipRecord: a rule of the format skips it.
        """
