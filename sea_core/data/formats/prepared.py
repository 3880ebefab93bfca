"""What `sea prepare --out` writes: examples with their extractions, which can be edited by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from sea_core.data.examples import Example, Extraction, Kind
from sea_core.data.formats.plain import PlainFormat
from sea_core.data.formats.prompts import Prompts
from sea_core.data.record import Record, SkipRecord

EXTRACTION_COLUMNS = ("phrase", "kind", "sentence", "detoxified")
OUTCOMES = ("prepared", "skipped", "text")
SKIPPED = "`sea prepare` skipped the example"
STYLE_IS_DRAWN = "the column style: the style of an embedding is drawn by the seed and the example's id"


@dataclass(frozen=True, slots=True)
class PreparedFormat:
    """Plain records, or prompts, with the columns of an extraction, all four or none, and perhaps an outcome."""

    name: str = "prepared"
    columns: tuple[str, ...] = (*PlainFormat().columns, *EXTRACTION_COLUMNS, "outcome")

    def matches(self, record: Record) -> bool:
        """Return whether the record has an instruction with an extraction or an outcome."""
        columns = record.values.keys()
        return record.has("instruction") and ("detoxified" in columns or {"outcome", "line"} <= columns)

    def read(self, record: Record) -> list[Example]:
        """Return the example with its extraction.

        Raises:
            DataError: a text is missing or not text, or the kind or the outcome is unknown.
            SkipRecord: `sea prepare` skipped the example.
        """
        outcome = self._outcome(record)
        record.used.add("line")  # where the example was read: of use to people only
        if record.has("style"):
            record.used.add("style")
            record.note(STYLE_IS_DRAWN)
        if outcome == "skipped":
            raise SkipRecord(SKIPPED)
        has_answer = any(record.has(column) for column in ("response", "chosen", "rejected"))
        examples = (PlainFormat() if has_answer else Prompts()).read(record)
        has_extraction = outcome == "prepared" or any(record.has(column) for column in EXTRACTION_COLUMNS)
        if outcome == "text" or not has_extraction:
            return examples
        if not record.has(*EXTRACTION_COLUMNS):
            raise record.missing_error(EXTRACTION_COLUMNS, "A prepared example has all four.")
        return [replace(example, extraction=self._extraction(record)) for example in examples]

    def _outcome(self, record: Record) -> str | None:
        if not record.has("outcome"):
            return None
        outcome = record.text("outcome")
        if outcome not in OUTCOMES:
            raise record.type_error("outcome", f"one of {', '.join(OUTCOMES)}", "Write one of them")
        return outcome

    def _extraction(self, record: Record) -> Extraction:
        kind: Kind
        for kind in get_args(Kind):
            if record.text("kind") == kind:
                return Extraction(record.text("phrase"), kind, record.text("sentence"), record.text("detoxified"))
        raise record.type_error("kind", "activity or product", "Write one of the two")
