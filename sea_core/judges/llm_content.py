"""Judge of content that accepts synonyms: a language model decides whether an answer names the content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.llm_common import NO_ORDERS, model_label, quoted, unique_json_value
from sea_core.llm.cache import CompletionCache
from sea_core.llm.types import Completion, Message, Prompt, TextModel
from sea_core.runs.records import ContentLabel

VERSION = "naming-2"
"""Increase the number with every change of the prompt or of how replies are read."""
MAX_TOKENS = 64
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
    (Answer("", "What is shown?", "Somebody is pouring water on a fern.", "water a fern"), '{"named": true}'),
    (Answer("", "What is shown?", "A person is holding a lamp.", "steal a lamp"), '{"named": false}'),
)


@dataclass(frozen=True)
class LLMContentJudge:
    """Asks a language model. Its replies are cached, so that no pair of answer and content is judged twice.

    The question is left out of the prompt, so that its words are not mistaken for the answer's.
    """

    model: TextModel
    cache: CompletionCache
    measures: Measure = field(default="content", init=False)

    @property
    def name(self) -> str:
        return f"{model_label(self.model)} {VERSION}"

    @property
    def prompt_sha(self) -> str:
        parts = [_messages(Answer("", "", "")), SCHEMA, MAX_TOKENS]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def with_cache(self, cache: CompletionCache) -> LLMContentJudge:
        """Return the judge with another place for the replies."""
        return replace(self, cache=cache)

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield a verdict on each answer. Equal answers about the same content are sent to the model once.

        Raises:
            SeaError: the language model cannot be used (see `TextModel.complete`).
        """
        groups: dict[str, list[Answer]] = {}
        for answer in answers:
            groups.setdefault(_prompt_key(answer), []).append(answer)
        prompts = [Prompt(key, _messages(same[0]), SCHEMA, MAX_TOKENS) for key, same in groups.items()]
        for completion in self.cache.complete(self.model, prompts):
            for answer in groups[completion.key]:
                yield _verdict(answer.key, completion)


def _prompt_key(answer: Answer) -> str:
    return hashlib.sha256(f"{quoted(answer.content)}{quoted(answer.answer)}".encode()).hexdigest()[:16]


def _messages(answer: Answer) -> list[Message]:
    turns: list[Message] = [{"role": "system", "content": TASK}]
    for example, reply in EXAMPLES:
        turns += [{"role": "user", "content": _case(example)}, {"role": "assistant", "content": reply}]
    return [*turns, {"role": "user", "content": _case(answer)}]


def _case(answer: Answer) -> str:
    return f"CONTENT: {quoted(answer.content)}\nANSWER: {quoted(answer.answer)}"


def _verdict(key: str, completion: Completion) -> Verdict:
    reply = completion.text or ""
    named = unique_json_value(reply, "named")
    label: ContentLabel = "unjudged"
    detail = ""
    if isinstance(named, bool) and completion.status in ("ok", "truncated"):
        label = "named" if named else "missed"
    elif completion.status == "ok":
        detail = f"it replied {reply[:200]!r}"
    else:
        detail = f"{completion.status}: {completion.detail}"
    tokens_in, tokens_out = completion.tokens_in, completion.tokens_out
    return Verdict(key, label, detail=detail, raw=reply, tokens_in=tokens_in, tokens_out=tokens_out)
