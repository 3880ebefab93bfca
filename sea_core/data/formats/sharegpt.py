"""LLaMA-Factory's sharegpt: conversations of {from, value}, or OpenAI-style messages of {role, content}."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import skip_unwanted
from sea_core.data.formats.conversation import (
    SYSTEM_PROMPT,
    Tags,
    dpo_example,
    is_conversation,
    read_answer,
    read_turns,
    sft_example,
)
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record

TAGS = Tags()


@dataclass(frozen=True, slots=True)
class ShareGPT:
    """SFT: the first question and its answer. DPO: the chosen and the rejected turn, where there is one question."""

    name: str = "sharegpt"
    columns: tuple[str, ...] = (
        "conversations",
        "messages",
        "chosen",
        "rejected",
        "system",
        "kto_tag",
        "harmful",
        *MEDIA_COLUMNS,
    )
    tags: Tags = TAGS

    def matches(self, first: Record) -> bool:
        """Tell whether the record has conversations, or messages with a chosen and a rejected turn."""
        turn = {"from", "role"}
        pair = all(
            isinstance(value := first.peek(column), dict) and turn & value.keys() for column in ("chosen", "rejected")
        )
        return is_conversation(first.peek("conversations")) or (pair and first.has("messages"))

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        column = "conversations" if record.has("conversations") else "messages"
        if not record.has(column):
            raise record.missing_error(("conversations",), "The format sharegpt is a list of turns.")
        talk = read_turns(record, column, self.tags)
        skip_unwanted(record, "kto_tag")
        if record.has("system") and record.text_or_empty("system"):
            record.note(SYSTEM_PROMPT)
        if not (record.has("chosen") or record.has("rejected")):
            return [sft_example(record, talk)]
        if not record.has("chosen", "rejected"):
            raise record.missing_error(("chosen", "rejected"), "A preference has both.")
        return [
            dpo_example(
                record, talk, read_answer(record, "chosen", self.tags), read_answer(record, "rejected", self.tags)
            )
        ]
