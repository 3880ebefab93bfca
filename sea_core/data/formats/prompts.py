"""Prompts without answers: what benchmarks of safety publish, and all that an embedding needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.formats.conversation import is_conversation, prompt_example, read_turns
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import ALIASES, Record

PROMPT_COLUMNS = ("instruction", *ALIASES["instruction"], "messages", "conversations")
"""Columns that may hold the instruction; the first that the record has, even empty, is it. Case does not matter."""
ANSWER = re.compile(r"(?i).*(response|answer|output|completion|reply|assistant|chosen|reject|safer|回答)")
"""Names of columns that may hold answers."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Instructions. It is detected where no other format fits and no column may hold an answer."""

    name: str = "prompts"
    columns: tuple[str, ...] = ("instruction", "harmful", "label", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has an instruction, and nothing that may be an answer."""
        instruction = instruction_column(record)
        present = [name for name, value in record.values.items() if value is not None]
        return instruction in present and not any(ANSWER.match(name) for name in present if name != instruction)

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if there is no instruction, SkipRecord if it has no text."""
        column = instruction_column(record)
        if column is None:
            raise record.missing_error(("instruction",), "The format prompts needs it in every record.")
        named = record.renamed({"instruction": column})
        if is_conversation(named.peek("instruction")):
            return [prompt_example(named, read_turns(named, "instruction"))]
        return [build_example(named, named.text("instruction"))]


def instruction_column(record: Record) -> str | None:
    """Return the column of the instruction, by the file's name: the one that the user named, or a usual one."""
    if "instruction" in record.column_names:
        return record.column_name("instruction")
    lowered = {name.lower(): name for name in record.values}
    return next((lowered[name] for name in PROMPT_COLUMNS if name in lowered), None)
