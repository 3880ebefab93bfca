"""LLaMA-Factory's alpaca: instruction, input and output, or instruction, input, chosen and rejected."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example, skip_unwanted
from sea_core.data.formats.conversation import LATER_ANSWER, SYSTEM_PROMPT
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record, SkipRecord

TEXTS = ("instruction", "input", "output", "chosen", "rejected")


@dataclass(frozen=True, slots=True)
class Alpaca:
    """The input follows the instruction on a new line. Records with a history are skipped; system prompts unused."""

    name: str = "alpaca"
    columns: tuple[str, ...] = (*TEXTS, "history", "system", "kto_tag", "harmful", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether it has instruction and output, or instruction, input (maybe empty), chosen and rejected."""
        single = record.has("instruction", "output")
        has_input = record.column_name("input") in record.values
        return single or (has_input and record.has("instruction", "chosen", "rejected"))

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        pair = record.has("chosen") or record.has("rejected")
        needed = ("instruction", "chosen", "rejected") if pair else ("instruction", "output")
        if not record.has(*needed):
            raise record.missing_error(
                needed, "The format alpaca is (instruction, output) or (instruction, chosen, rejected)."
            )
        if record.has("history") and record.decoded("history"):
            raise SkipRecord(LATER_ANSWER)
        skip_unwanted(record, "kto_tag")
        if record.has("system") and record.text_or_empty("system"):
            record.note(SYSTEM_PROMPT)
        instruction = self._instruction(record)
        if pair:
            answers = record.text_or_empty("chosen"), record.text_or_empty("rejected")
            return [build_example(record, instruction, pair=answers)]
        return [build_example(record, instruction, record.text_or_empty("output"))]

    def _instruction(self, record: Record) -> str:
        parts = [record.text_or_empty(column) for column in ("instruction", "input") if record.has(column)]
        return "\n".join(part for part in parts if part) or record.text("instruction")  # raises
