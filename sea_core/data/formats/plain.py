"""Our own format: {"instruction", "response"} or {"instruction", "chosen", "rejected"}."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record


@dataclass(frozen=True, slots=True)
class PlainFormat:
    """Records in our own columns; "id", "harmful" and media are optional. `Prompts` reads those without answers."""

    name: str = "plain"
    columns: tuple[str, ...] = ("instruction", "response", "chosen", "rejected", "harmful", "label", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has an instruction with a response or a pair, and no other format's columns."""
        others = record.values.keys() - set(record.column_names.values())  # those that are named belong to no other
        if {"input", "output", "detoxified"} & others or {"outcome", "line"} <= record.values.keys():
            return False
        return record.has("instruction") and (record.has("response") or record.has("chosen", "rejected"))

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        pair = record.has("chosen") or record.has("rejected")
        needed = ("instruction", "chosen", "rejected") if pair else ("instruction", "response")
        if not record.has(*needed):
            raise record.missing_error(
                needed, "The format plain is (instruction, response) or (instruction, chosen, rejected)."
            )
        response = record.text("response") if record.has("response") else None
        answers = (record.text("chosen"), record.text("rejected")) if pair else None
        return [build_example(record, record.text("instruction"), response, answers)]
