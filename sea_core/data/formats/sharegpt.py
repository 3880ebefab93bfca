"""LLaMA-Factory's sharegpt: conversations of {from, value}, or OpenAI-style messages of {role, content}."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import skip_unwanted
from sea_core.data.formats.conversation import (
    DEFAULT_TAGS,
    SYSTEM_PROMPT,
    Tags,
    dpo_example,
    is_conversation,
    read_answer,
    read_prompt,
    read_turns,
    sft_example,
)
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record

TURNS = ("conversations", "messages")
PAIR = ("chosen", "rejected")
V1_PAIR = ("chosen_messages", "rejected_messages")


@dataclass(frozen=True, slots=True)
class ShareGPT:
    """SFT: the first question and its answer. DPO: the chosen and the rejected turn; there must be one question.

    LLaMA-Factory v1 has two whole conversations instead.
    """

    name: str = "sharegpt"
    columns: tuple[str, ...] = (*TURNS, *PAIR, *V1_PAIR, "system", "kto_tag", "harmful", *MEDIA_COLUMNS)
    tags: Tags = DEFAULT_TAGS

    def matches(self, record: Record) -> bool:
        """Return whether the record has conversations, or messages with a chosen and a rejected turn."""
        has_pair = all(
            isinstance(turn := record.peek(column), dict) and {"from", "role"} & turn.keys() for column in PAIR
        )
        is_v1 = all(is_conversation(record.peek(column)) for column in V1_PAIR)
        return is_v1 or is_conversation(record.peek("conversations")) or (has_pair and record.has("messages"))

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        if record.has(*V1_PAIR):
            chosen, rejected = (read_answer(record, name, self.tags) for name in V1_PAIR)
            return [dpo_example(record, read_prompt(record, V1_PAIR), chosen, rejected)]
        column = "conversations" if record.has("conversations") else "messages"
        if not record.has(column):
            raise record.missing_error(("conversations",), "The format sharegpt is a list of turns.")
        turns = read_turns(record, column, self.tags)
        skip_unwanted(record, "kto_tag")
        if record.has("system") and record.text_or_empty("system"):
            record.note(SYSTEM_PROMPT)
        if not any(record.has(name) for name in PAIR):
            return [sft_example(record, turns)]
        if not record.has(*PAIR):
            raise record.missing_error(PAIR, "A preference has both.")
        chosen, rejected = (read_answer(record, name, self.tags) for name in PAIR)
        return [dpo_example(record, turns, chosen, rejected)]
