"""Extract with a language model: ask, examine the answer, tell the model once what is wrong with it, else refuse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sea_core.data.examples import Extraction
from sea_core.extraction import llm_prompt
from sea_core.extraction.extractor import NO_ANSWER, ExtractionFailed, Extractor
from sea_core.extraction.validate import NothingToExtract, validate
from sea_core.llm.backends import open_model
from sea_core.llm.cache import cached
from sea_core.llm.config import LLMConfig
from sea_core.llm.json_reply import json_object
from sea_core.llm.types import Completion, Prompt, TextModel
from sea_core.runs.jsonl import JsonlLog

MAX_TOKENS = 300
# How models that were trained to refuse begin; only looked for where no JSON is.
REFUSAL = re.compile(
    r"\W*(?:i['’]?m (?:really |very |so )?sorry|sorry|i apologi[sz]e|i (?:can['’]?t|cannot|can not|won['’]?t|will not|"
    r"am (?:not able|unable)|must decline)|i['’]?m (?:not able|unable)|as an ai)",
    re.IGNORECASE,
)
Outcome = Extraction | ExtractionFailed


@dataclass(frozen=True)
class LLMExtractor(Extractor):
    """Asks a language model.

    Attributes:
        name: how it is reached, `openai` or `transformers` (see `open_chat`).
        config: how it is asked.
        journal: keeps the answers; None: nothing is kept.
    """

    name: str
    config: LLMConfig = field(default_factory=LLMConfig)
    log: JsonlLog | None = None

    def configured(self, config: LLMConfig, log: JsonlLog | None) -> Extractor:
        return replace(self, config=config, log=log)

    def identity(self) -> Mapping[str, Any]:
        return {"name": self.name, "prompt": llm_prompt.VERSION, "chat": dict(self._chat.identity)}

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Outcome]]:
        """Yield what the model found, as its answers come; equal instructions are asked about once."""
        chat = self._chat
        places: dict[str, list[int]] = {}
        for index, instruction in enumerate(instructions):
            places.setdefault(instruction, []).append(index)
        texts = {_key(text): text for text in places}
        repairs: dict[str, tuple[Completion, ExtractionFailed]] = {}
        for reply in self._replies(chat, {key: llm_prompt.extraction_messages(text) for key, text in texts.items()}):
            outcome, may_repair = _outcome(texts[reply.key], reply)
            if may_repair and isinstance(outcome, ExtractionFailed):
                repairs[reply.key] = reply, outcome
            else:
                yield from ((index, outcome) for index in places[texts[reply.key]])
        corrected = {
            f"{key}/again": llm_prompt.correction_messages(texts[key], reply.text or "", str(fault))
            for key, (reply, fault) in repairs.items()
        }
        for reply in self._replies(chat, corrected):
            text = texts[reply.key.removesuffix("/again")]
            outcome, _ = _outcome(text, reply)
            yield from ((index, outcome) for index in places[text])

    @cached_property
    def _chat(self) -> TextModel:
        """Open once: a local model takes its time to load."""
        return open_model(self.name, self.config)

    def _replies(self, chat: TextModel, conversations: Mapping[str, Sequence[Any]]) -> Iterator[Completion]:
        asked = [Prompt(key, messages, llm_prompt.SCHEMA, MAX_TOKENS) for key, messages in conversations.items()]
        return cached(chat, self.log, asked) if self.log else chat.complete(asked)


def _key(instruction: str) -> str:
    """Name a question after its instruction: rows may move in their file."""
    return hashlib.sha256(instruction.encode()).hexdigest()[:16]


def _outcome(instruction: str, reply: Completion) -> tuple[Outcome, bool]:
    """Return what a reply comes to, and whether the model may be told and asked again."""
    if reply.status == "error":
        return ExtractionFailed(NO_ANSWER, reply.detail), False
    if reply.status == "filtered":
        return ExtractionFailed("the provider's content filter stopped the instruction or the answer"), False
    answer = json_object(reply.text or "")
    if answer is None:
        if reply.status == "refused" or REFUSAL.match(reply.text or ""):
            return ExtractionFailed("the language model refused to take the instruction apart"), False
        if reply.status == "truncated":
            return ExtractionFailed("the answer was not at its end", "-o llm.max_tokens=N asks for longer ones"), False
        return ExtractionFailed("the answer holds no JSON object"), True
    try:
        return validate(instruction, answer), False
    except NothingToExtract as reason:
        return reason, False
    except ExtractionFailed as reason:
        return reason, True
