"""TRL: messages, prompt and completion, or prompt, chosen and rejected; texts or conversations."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example, skip_unwanted
from sea_core.data.formats.conversation import (
    UNANSWERED,
    Tags,
    Turn,
    dpo_example,
    is_conversation,
    read_answer,
    read_turns,
    sft_example,
)
from sea_core.data.formats.ms_swift import MSSwift
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record, SkipRecord

EXPECTED = "The format trl is (messages), (prompt, completion), (prompt, chosen, rejected) or (chosen, rejected)."
TAGS = Tags()


@dataclass(frozen=True, slots=True)
class TRL:
    """SFT: the first question and its answer. DPO: the pair, where there is one question.

    Without a prompt, the turns with which chosen and rejected both begin are the prompt, as in TRL.
    """

    name: str = "trl"
    columns: tuple[str, ...] = (
        "messages",
        "prompt",
        "completion",
        "chosen",
        "rejected",
        "label",
        "harmful",
        *MEDIA_COLUMNS,
    )

    def matches(self, first: Record) -> bool:
        """Tell whether the record has the columns of one of TRL's layouts."""
        if first.has("prompt"):
            return first.has("completion") or first.has("chosen", "rejected")
        pair = all(is_conversation(first.peek(column)) for column in ("chosen", "rejected"))
        others = first.has("rejected") or first.has("instruction") or MSSwift().matches(first)
        return pair or (is_conversation(first.peek("messages")) and not others)

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        if record.has("chosen", "rejected"):
            return [self._pair(record)]
        skip_unwanted(record, "label")
        if record.has("prompt", "completion"):
            completion = read_answer(record, "completion", TAGS)
            if isinstance(record.decoded("prompt"), str):
                return [build_example(record, record.text_or_empty("prompt"), completion)]
            return [sft_example(record, [*read_turns(record, "prompt", TAGS), Turn("assistant", completion)])]
        if record.has("messages"):
            return [sft_example(record, read_turns(record, "messages", TAGS))]
        raise record.missing_error(("prompt", "chosen", "rejected"), EXPECTED)

    def _pair(self, record: Record) -> Example:
        chosen, rejected = read_answer(record, "chosen", TAGS), read_answer(record, "rejected", TAGS)
        if not record.has("prompt"):
            return dpo_example(record, self._implicit(record), chosen, rejected)
        if isinstance(record.decoded("prompt"), str):
            return build_example(record, record.text_or_empty("prompt"), pair=(chosen, rejected))
        return dpo_example(record, read_turns(record, "prompt", TAGS), chosen, rejected)

    def _implicit(self, record: Record) -> list[Turn]:
        if isinstance(record.decoded("chosen"), str) or isinstance(record.decoded("rejected"), str):
            raise record.missing_error(("prompt",), "Without it, chosen and rejected must be lists of turns.")
        left, right = read_turns(record, "chosen", TAGS)[:-1], read_turns(record, "rejected", TAGS)[:-1]
        if left != right:
            raise SkipRecord("the two conversations differ before the answer")
        if not left:
            raise SkipRecord(UNANSWERED)
        return left
