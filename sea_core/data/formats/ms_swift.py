"""ms-swift: messages, and a rejected response for preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.formats.common import skip_unwanted
from sea_core.data.formats.conversation import (
    UNANSWERED,
    dpo_example,
    is_conversation,
    read_answer,
    read_turns,
    sft_example,
)
from sea_core.data.media_columns import MEDIA_COLUMNS, PLACEHOLDER
from sea_core.data.record import Record, SkipRecord

REJECTED = ("rejected_response", "rejected_messages")


@dataclass(frozen=True, slots=True)
class MSSwift:
    """SFT: the first question and its answer. DPO: the last answer is chosen; there must be one question."""

    name: str = "ms-swift"
    columns: tuple[str, ...] = ("messages", *REJECTED, "label", "harmful", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has messages, and something that only ms-swift has."""
        messages: Any = record.peek("messages")
        if not is_conversation(messages) or record.has("chosen") or record.has("prompt"):
            return False
        own_columns = (*REJECTED, "video", "videos", "audio", "audios")
        has_placeholder = any(
            isinstance(text := turn.get("content"), str) and PLACEHOLDER.search(text) for turn in messages
        )
        return has_placeholder or any(record.has(column) for column in own_columns)

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        if not record.has("messages"):
            raise record.missing_error(("messages",), "The format ms-swift is a list of turns.")
        turns = read_turns(record, "messages")
        rejected = next((column for column in REJECTED if record.has(column)), None)
        if rejected is None:
            skip_unwanted(record, "label")
            return [sft_example(record, turns)]
        if turns[-1].role != "assistant":
            raise SkipRecord(UNANSWERED)
        return [dpo_example(record, turns[:-1], turns[-1].text, read_answer(record, rejected))]
