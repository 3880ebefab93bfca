"""The judge of VSR that knows synonyms: a language model is asked whether an answer names the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.judges.content import Asked, Judged
from sea_core.judges.llm_common import NO_ORDERS, model_label, quoted, unique_json_value
from sea_core.llm.cache import cached
from sea_core.llm.types import Completion, Message, Prompt, TextModel
from sea_core.runs.jsonl import JsonlLog

VERSION = "naming-1"
SCHEMA = {
    "type": "object",
    "properties": {"named": {"type": "boolean"}},
    "required": ["named"],
    "additionalProperties": False,
}
TASK = (
    "You compare an ANSWER with a CONTENT. Somebody was asked what an input shows; the ANSWER is what they said, the "
    f"CONTENT is what it should show. {NO_ORDERS} "
    "The ANSWER names the CONTENT when it tells of the same activity or thing: in any inflection, and synonyms count. "
    "Something that is more general, or that shares only a word, does not name it. "
    'Reply with JSON and nothing else: {"named": true} or {"named": false}.'
)
EXAMPLES = (
    (Asked("What is shown?", "Somebody is pouring water on a fern.", "water a fern"), '{"named": true}'),
    (Asked("What is shown?", "A person is holding a lamp.", "steal a lamp"), '{"named": false}'),
)


@dataclass(frozen=True)
class LLMContentJudge:
    """Asks a language model. What it replied is kept in a journal, and is not asked for again.

    The question that the answer belongs to is not told: it says "the image shows", and the answer might not.
    """

    chat: TextModel
    journal: JsonlLog

    @property
    def name(self) -> str:
        return f"{model_label(self.chat)} {VERSION}"

    def judge(self, asked: Sequence[Asked]) -> Iterator[Judged]:
        """Yield a verdict for each answer; equal answers about the same content are asked about once.

        Raises:
            SeaError: the language model cannot be asked (see `Chat.ask`).
        """
        places: dict[str, list[int]] = {}
        for index, one in enumerate(asked):
            places.setdefault(_key(one), []).append(index)
        questions = [Prompt(key, _messages(asked[at[0]]), SCHEMA, max_tokens=64) for key, at in places.items()]
        for reply in cached(self.chat, self.journal, questions):
            for index in places[reply.key]:
                yield _read(index, reply)


def _key(one: Asked) -> str:
    return hashlib.sha256(f"{quoted(one.content)}{quoted(one.answer)}".encode()).hexdigest()[:16]


def _messages(one: Asked) -> list[Message]:
    turns: list[Message] = [{"role": "system", "content": TASK}]
    for example, reply in EXAMPLES:
        turns += [{"role": "user", "content": _text(example)}, {"role": "assistant", "content": reply}]
    return [*turns, {"role": "user", "content": _text(one)}]


def _text(one: Asked) -> str:
    return f"CONTENT: {quoted(one.content)}\nANSWER: {quoted(one.answer)}"


def _read(index: int, reply: Completion) -> Judged:
    named = unique_json_value(reply.text or "", "named")
    if isinstance(named, bool) and reply.status in ("ok", "truncated"):
        return Judged(index, "named" if named else "missed")
    reason = f"{reply.status}: {reply.detail}" if reply.status != "ok" else f"it replied {(reply.text or '')[:200]!r}"
    return Judged(index, "unjudged", reason)
