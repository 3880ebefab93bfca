"""ms-swift: messages, and a rejected response for preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.formats.common import skip_unwanted
from sea_core.data.formats.conversation import (
    UNANSWERED,
    Tags,
    dpo_example,
    is_conversation,
    read_answer,
    read_turns,
    sft_example,
)
from sea_core.data.media_columns import MEDIA_COLUMNS, PLACEHOLDER
from sea_core.data.record import Record, SkipRecord


@dataclass(frozen=True, slots=True)
class MSSwift:
    """SFT: the first question and its answer. DPO: the last answer is chosen, where there is one question."""

    name: str = "ms-swift"
    columns: tuple[str, ...] = (
        "messages",
        "rejected_response",
        "rejected_messages",
        "label",
        "harmful",
        *MEDIA_COLUMNS,
    )

    def matches(self, first: Record) -> bool:
        """Tell whether the record has messages, and something that only ms-swift has beside or in them."""
        messages: Any = first.peek("messages")
        if not is_conversation(messages) or first.has("chosen") or first.has("prompt"):
            return False
        rejected = first.has("rejected_response") or first.has("rejected_messages")
        marked = any(isinstance(text := turn.get("content"), str) and PLACEHOLDER.search(text) for turn in messages)
        return rejected or marked or any(first.has(column) for column in ("video", "videos", "audio", "audios"))

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        if not record.has("messages"):
            raise record.missing_error(("messages",), "The format ms-swift is a list of turns.")
        talk = read_turns(record, "messages", Tags())
        rejected = next((c for c in ("rejected_response", "rejected_messages") if record.has(c)), None)
        if rejected is None:
            skip_unwanted(record, "label")
            return [sft_example(record, talk)]
        if talk[-1].role != "assistant":
            raise SkipRecord(UNANSWERED)
        return [dpo_example(record, talk[:-1], talk[-1].text, read_answer(record, rejected, Tags()))]
