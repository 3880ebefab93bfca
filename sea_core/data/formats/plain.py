"""Our own format: {"instruction", "response"} or {"instruction", "chosen", "rejected"}."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record


@dataclass(frozen=True, slots=True)
class PlainFormat:
    """Rows in our own columns; "id", the boolean "harmful" and media are optional."""

    name: str = "plain"
    columns: tuple[str, ...] = ("instruction", "response", "chosen", "rejected", "harmful", *MEDIA_COLUMNS)

    def matches(self, first: Record) -> bool:
        """Tell whether the record has an instruction and an answer, or a pair of answers."""
        there = first.values.keys()
        others = {"input", "output", "detoxified"} & there or {"outcome", "line"} <= there  # alpaca, and `sea prepare`
        return not others and first.has("instruction") and (first.has("response") or first.has("chosen", "rejected"))

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError when a text is missing, empty, or no text, Dropped by a rule."""
        pair = record.has("chosen") or record.has("rejected")
        needed = ("instruction", "chosen", "rejected") if pair else ("instruction", "response")
        if not record.has(*needed):
            raise record.missing_error(needed, "A row is (instruction, response) or (instruction, chosen, rejected).")
        response = record.text("response") if record.has("response") else None
        answers = (record.text("chosen"), record.text("rejected")) if pair else None
        return [build_example(record, record.text("instruction"), response, answers)]
