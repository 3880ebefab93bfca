"""Extract with a language model: ask, validate the answer, ask for one correction, otherwise skip."""

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
from sea_core.llm.types import Completion, Message, Prompt, TextModel
from sea_core.runs.jsonl import JsonlLog

MAX_TOKENS = 300
CORRECTION_SUFFIX = "/again"
# How a model's refusals begin; only used if the answer has no JSON.
REFUSAL = re.compile(
    r"\W*(?:i['’]?m (?:really |very |so )?sorry|sorry|i apologi[sz]e|i (?:can['’]?t|cannot|can not|won['’]?t|will not|"
    r"am (?:not able|unable)|must decline)|i['’]?m (?:not able|unable)|as an ai|"
    r"(?:很|非常)?抱歉|对不起|我(?:不能|无法))",
    re.IGNORECASE,
)
Outcome = Extraction | ExtractionFailed


@dataclass(frozen=True)
class LLMExtractor(Extractor):
    """Asks a language model.

    Attributes:
        name: the backend, `openai` or `transformers` (see `open_model`).
        config: the settings of the model.
        log: stores the completions; if None, they are not stored.
        language: of the prompts and of the sentences.
    """

    name: str
    config: LLMConfig = field(default_factory=LLMConfig)
    log: JsonlLog | None = None
    language: str = "en"

    def in_language(self, language: str) -> Extractor:
        return replace(self, language=language)

    def configured(self, config: LLMConfig, log: JsonlLog | None) -> Extractor:
        return replace(self, config=config, log=log)

    def identity(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "prompt": llm_prompt.prompt_version(self.language),
            "llm": dict(self._model.identity),
        }

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Outcome]]:
        """Yield outcomes as the completions arrive; equal instructions are sent once."""
        indices: dict[str, list[int]] = {}
        for index, instruction in enumerate(instructions):
            indices.setdefault(instruction, []).append(index)
        texts = {_key(text): text for text in indices}
        corrections: dict[str, Sequence[Message]] = {}
        prompts = {key: llm_prompt.extraction_messages(text, self.language) for key, text in texts.items()}
        for completion in self._complete(prompts):
            text = texts[completion.key]
            outcome, is_correctable = _read_outcome(text, completion)
            if is_correctable:
                answer = completion.text or ""
                messages = llm_prompt.correction_messages(text, answer, str(outcome), self.language)
                corrections[f"{completion.key}{CORRECTION_SUFFIX}"] = messages
            else:
                yield from ((index, outcome) for index in indices[text])
        for completion in self._complete(corrections):
            text = texts[completion.key.removesuffix(CORRECTION_SUFFIX)]
            outcome, _ = _read_outcome(text, completion)
            yield from ((index, outcome) for index in indices[text])

    @cached_property
    def _model(self) -> TextModel:
        """Opened once: a local model takes long to load."""
        return open_model(self.name, self.config)

    def _complete(self, conversations: Mapping[str, Sequence[Message]]) -> Iterator[Completion]:
        prompts = [Prompt(key, messages, llm_prompt.SCHEMA, MAX_TOKENS) for key, messages in conversations.items()]
        return cached(self._model, self.log, prompts) if self.log else self._model.complete(prompts)


def _key(instruction: str) -> str:
    """Return the prompt's key, which does not depend on the example's place in the file."""
    return hashlib.sha256(instruction.encode()).hexdigest()[:16]


def _read_outcome(instruction: str, completion: Completion) -> tuple[Outcome, bool]:
    """Return the outcome of a completion, and whether the model should be asked for a correction."""
    if completion.status == "error":
        return ExtractionFailed(NO_ANSWER, completion.detail), False
    if completion.status == "filtered":
        return ExtractionFailed("the provider's content filter blocked the instruction or the answer"), False
    answer = json_object(completion.text or "")
    if answer is None:
        return _without_json(completion)
    try:
        return validate(instruction, answer), False
    except NothingToExtract as reason:
        return reason, False
    except ExtractionFailed as reason:
        return reason, True


def _without_json(completion: Completion) -> tuple[ExtractionFailed, bool]:
    if completion.status == "refused" or REFUSAL.match(completion.text or ""):
        return ExtractionFailed("the language model refused to analyse the instruction"), False
    if completion.status == "truncated":
        return ExtractionFailed("the answer was truncated", "-o llm.max_tokens=N allows longer ones"), False
    return ExtractionFailed("the answer has no JSON object"), True
