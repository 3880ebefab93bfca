"""ms-swift: messages, or query, response and history, or a conversation; and a rejected response for preferences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.formats.common import skip_unwanted
from sea_core.data.formats.conversation import (
    UNANSWERED,
    Turn,
    dpo_example,
    is_conversation,
    read_answer,
    read_turns,
    sft_example,
)
from sea_core.data.media_columns import MEDIA_COLUMNS, PLACEHOLDER
from sea_core.data.record import Record, SkipRecord, preview

REJECTED = ("rejected_response", "rejected_messages")
SPEAKERS = {"system": "system", "human": "user", "assistant": "assistant"}
"""The keys of an exchange of a conversation, and the roles of their turns, in order."""


@dataclass(frozen=True, slots=True)
class MSSwift:
    """SFT: the first question and its answer. DPO: the last answer is chosen; there must be one question."""

    name: str = "ms-swift"
    columns: tuple[str, ...] = (
        *("messages", "query", "response", "history", "conversation", "system"),
        *(*REJECTED, "label", "harmful", *MEDIA_COLUMNS),
    )

    def matches(self, record: Record) -> bool:
        """Return whether it has query and response, a conversation, or messages and what only ms-swift has."""
        if record.has("query", "response") or _is_exchanges(record.peek("conversation")):
            return not record.has("instruction")
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
        turns = _turns(record)
        rejected = next((column for column in REJECTED if record.has(column)), None)
        if rejected is None:
            skip_unwanted(record, "label")
            return [sft_example(record, turns)]
        if turns[-1].role != "assistant":
            raise SkipRecord(UNANSWERED)
        return [dpo_example(record, turns[:-1], turns[-1].text, read_answer(record, rejected))]


def _turns(record: Record) -> list[Turn]:
    """Return the turns of any of the three layouts. Raises DataError if the record has none, or it is invalid."""
    if record.has("messages"):
        return read_turns(record, "messages")
    if record.has("query"):
        system = [Turn("system", record.text_or_empty("system"))] if record.has("system") else []
        answer = [Turn("assistant", record.text_or_empty("response"))] if record.has("response") else []
        return [*(turn for turn in system if turn.text), *_history(record), Turn("user", record.text("query")), *answer]
    if record.has("conversation"):
        return [turn for exchange in record.items("conversation") for turn in _exchange(record, exchange)]
    raise record.missing_error(("messages",), "The format ms-swift has messages, query and response, or conversation.")


def _history(record: Record) -> Iterator[Turn]:
    """Yield the turns of the pairs of a question and an answer that come before the query."""
    for pair in record.items("history") if record.has("history") and record.decoded("history") else ():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            what = f"must hold pairs of a question and an answer, but it holds {preview(pair)}"
            raise record.column_error("history", what, 'Write it like [["question", "answer"]].')
        for role, text in zip(("user", "assistant"), pair, strict=True):
            yield Turn(role, record.valid_text(text, "history").strip())


def _exchange(record: Record, exchange: Any) -> Iterator[Turn]:
    """Yield the turns of one exchange of a conversation."""
    if not _is_exchanges([exchange]):
        what = f"must hold questions with their answers, but it holds {preview(exchange)}"
        raise record.column_error("conversation", what, 'Write it like [{"human": "...", "assistant": "..."}].')
    for key, role in SPEAKERS.items():
        if isinstance(text := exchange.get(key), str):
            yield Turn(role, record.valid_text(text, "conversation").strip())


def _is_exchanges(value: Any) -> bool:
    """Return whether a value is a list of {"human": ..., "assistant": ...}."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "human" in each for each in value)
