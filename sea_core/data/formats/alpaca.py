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
    """The input joins the instruction on a line of its own. Rows with a history are left out, system prompts unused."""

    name: str = "alpaca"
    columns: tuple[str, ...] = (*TEXTS, "history", "system", "kto_tag", "harmful", *MEDIA_COLUMNS)

    def matches(self, first: Record) -> bool:
        """Tell whether the record has an instruction and an output, or an input (maybe empty) and a pair of answers."""
        single = first.has("instruction", "output")
        pair = first.has("instruction", "chosen", "rejected") and first.column_name("input") in first.values
        return single or pair

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
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
        parts = [record.text_or_empty(column) for column in ("instruction", "input") if record.has(column)]
        instruction = "\n".join(part for part in parts if part)
        if not instruction:
            record.text("instruction")  # raises
        if pair:
            return [
                build_example(
                    record, instruction, pair=(record.text_or_empty("chosen"), record.text_or_empty("rejected"))
                )
            ]
        return [build_example(record, instruction, record.text_or_empty("output"))]
