"""TRL: messages, prompt and completion, or prompt, chosen and rejected; texts or conversations."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example, refuse_unwanted
from sea_core.data.formats.conversation import UNANSWERED, Tags, Turn, answer, is_turns, paired, single, turns
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
        pair = all(is_turns(first.peek(column)) for column in ("chosen", "rejected"))
        others = first.has("rejected") or first.has("instruction") or MSSwift().matches(first)
        return pair or (is_turns(first.peek("messages")) and not others)

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        if record.has("chosen", "rejected"):
            return [self._pair(record)]
        refuse_unwanted(record, "label")
        if record.has("prompt", "completion"):
            completion = answer(record, "completion", TAGS)
            if isinstance(record.decoded("prompt"), str):
                return [build_example(record, record.maybe_empty("prompt"), completion)]
            return [single(record, [*turns(record, "prompt", TAGS), Turn("assistant", completion)])]
        if record.has("messages"):
            return [single(record, turns(record, "messages", TAGS))]
        raise record.missing(("prompt", "chosen", "rejected"), EXPECTED)

    def _pair(self, record: Record) -> Example:
        chosen, rejected = answer(record, "chosen", TAGS), answer(record, "rejected", TAGS)
        if not record.has("prompt"):
            return paired(record, self._implicit(record), chosen, rejected)
        if isinstance(record.decoded("prompt"), str):
            return build_example(record, record.maybe_empty("prompt"), pair=(chosen, rejected))
        return paired(record, turns(record, "prompt", TAGS), chosen, rejected)

    def _implicit(self, record: Record) -> list[Turn]:
        if isinstance(record.decoded("chosen"), str) or isinstance(record.decoded("rejected"), str):
            raise record.missing(("prompt",), "Without it, chosen and rejected must be lists of turns.")
        left, right = turns(record, "chosen", TAGS)[:-1], turns(record, "rejected", TAGS)[:-1]
        if left != right:
            raise SkipRecord("the two conversations differ before the answer")
        if not left:
            raise SkipRecord(UNANSWERED)
        return left
