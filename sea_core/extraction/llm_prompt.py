"""The prompts of the extraction: the task, mild examples, the schema of the answer, and a request for a correction.

Their words are in `languages/`, one file for each language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sea_core.extraction.wording import wordings
from sea_core.llm.types import Message

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "phrase": {"type": "string"},
        "kind": {"type": "string", "enum": ["activity", "product", "none"]},
        "detoxified": {"type": "string"},
        "sentence": {"type": "string"},
    },
    "required": ["phrase", "kind", "detoxified", "sentence"],
    "additionalProperties": False,
}


@cache
def prompt_version(language: str = "en") -> str:
    """Return what changes with any word of a prompt, so that a run records which one it was prepared with."""
    prompt = wordings()[language].prompt
    parts = [prompt["task"], _examples(language), prompt["correction"], SCHEMA]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def extraction_messages(instruction: str, language: str = "en") -> list[Message]:
    """Return the conversation that asks for the extraction of an instruction; the sentence is to be in `language`."""
    messages: list[Message] = [{"role": "system", "content": wordings()[language].prompt["task"]}]
    for example, answer in _examples(language):
        reply = json.dumps(answer, ensure_ascii=False)
        messages += [{"role": "user", "content": example}, {"role": "assistant", "content": reply}]
    return [*messages, {"role": "user", "content": instruction}]


def correction_messages(instruction: str, answer: str, reason: str, language: str = "en") -> list[Message]:
    """Return the conversation that asks to correct a wrong answer."""
    correction = wordings()[language].prompt["correction"].format(reason=reason)
    return [
        *extraction_messages(instruction, language),
        {"role": "assistant", "content": answer},
        {"role": "user", "content": correction},
    ]


def _examples(language: str) -> Sequence[tuple[str, Mapping[str, str]]]:
    """Return instructions with the answers that the model should give."""
    examples: list[dict[str, str]] = wordings()[language].prompt["examples"]
    return [(each["instruction"], {key: each[key] for key in each if key != "instruction"}) for each in examples]
