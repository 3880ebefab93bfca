"""TRL: messages, prompt and completion, or prompt, chosen and rejected; texts or conversations."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example, skip_unwanted
from sea_core.data.formats.conversation import (
    Turn,
    dpo_example,
    is_conversation,
    read_answer,
    read_prompt,
    read_turns,
    sft_example,
)
from sea_core.data.formats.ms_swift import MSSwift
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record

EXPECTED = "The format trl is (messages), (prompt, completion), (prompt, chosen, rejected) or (chosen, rejected)."
PAIR = ("chosen", "rejected")


@dataclass(frozen=True, slots=True)
class TRL:
    """SFT: the first question and its answer. DPO: the pair; there must be one question.

    Without a prompt, the turns with which chosen and rejected both begin are the prompt, as in TRL.
    """

    name: str = "trl"
    columns: tuple[str, ...] = ("messages", "prompt", "completion", *PAIR, "label", "harmful", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has the columns of one of TRL's layouts."""
        if record.has("prompt"):
            return record.has("completion") or record.has(*PAIR)
        if all(is_conversation(record.peek(column)) for column in PAIR):
            return True
        other_format = record.has("rejected") or record.has("instruction") or MSSwift().matches(record)
        return is_conversation(record.peek("messages")) and not other_format

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        if record.has(*PAIR):
            return [self._pair(record)]
        skip_unwanted(record, "label")
        if record.has("prompt", "completion"):
            completion = read_answer(record, "completion")
            if isinstance(record.decoded("prompt"), str):
                return [build_example(record, record.text_or_empty("prompt"), completion)]
            return [sft_example(record, [*read_turns(record, "prompt"), Turn("assistant", completion)])]
        if record.has("messages"):
            return [sft_example(record, read_turns(record, "messages"))]
        raise record.missing_error(("prompt", *PAIR), EXPECTED)

    def _pair(self, record: Record) -> Example:
        chosen, rejected = (read_answer(record, column) for column in PAIR)
        if not record.has("prompt"):
            return dpo_example(record, read_prompt(record, PAIR), chosen, rejected)
        if isinstance(record.decoded("prompt"), str):
            return build_example(record, record.text_or_empty("prompt"), pair=(chosen, rejected))
        return dpo_example(record, read_turns(record, "prompt"), chosen, rejected)
