"""What `sea prepare --out` writes: rows with what was found in them, to be read and mended by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from sea_core.data.examples import Example, Extraction, Kind
from sea_core.data.formats.plain import PlainFormat
from sea_core.data.record import Record, SkipRecord

EXTRACTION_COLUMNS = ("phrase", "kind", "sentence", "detoxified")
OUTCOMES = ("prepared", "refused", "text")


@dataclass(frozen=True, slots=True)
class PreparedFormat:
    """Plain rows with the columns of an extraction, all four or none, and perhaps an outcome."""

    name: str = "prepared"
    columns: tuple[str, ...] = (*PlainFormat().columns, *EXTRACTION_COLUMNS, "outcome")

    def matches(self, first: Record) -> bool:
        """Tell whether the record has an outcome, or an instruction with an extraction."""
        has = first.values.keys()
        return first.has("instruction") and ("detoxified" in has or {"outcome", "line"} <= has)

    def read(self, record: Record) -> list[Example]:
        """Return the row with its extraction.

        Raises:
            DataError: a text is missing or no text, or the kind or the outcome is unknown.
            Dropped: `sea prepare` refused the row.
        """
        outcome = self._outcome(record)
        if outcome == "refused":
            raise SkipRecord("`sea prepare` refused the row")
        rows = PlainFormat().read(record)
        if outcome == "text" or not (outcome == "prepared" or any(record.has(column) for column in EXTRACTION_COLUMNS)):
            return rows
        if not record.has(*EXTRACTION_COLUMNS):
            raise record.missing_error(EXTRACTION_COLUMNS, "A prepared row has all four.")
        return [replace(row, extraction=self._extraction(record)) for row in rows]

    def _outcome(self, record: Record) -> str | None:
        if not record.has("outcome"):
            return None
        outcome = record.text("outcome")
        if outcome not in OUTCOMES:
            raise record.type_error("outcome", f"one of {', '.join(OUTCOMES)}", "Write what `sea prepare` wrote")
        return outcome

    def _extraction(self, record: Record) -> Extraction:
        kind: Kind
        for kind in get_args(Kind):
            if record.text("kind") == kind:
                return Extraction(record.text("phrase"), kind, record.text("sentence"), record.text("detoxified"))
        raise record.type_error("kind", "activity or product", "Write one of the two")
