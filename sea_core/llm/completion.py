"""A chat completion in OpenAI's protocol: what is sent, and what the answer holds. Nothing in it is taken on trust."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sea_core.llm.config import LLMConfig
from sea_core.llm.reasoning import strip_reasoning
from sea_core.llm.types import Completion, Prompt

# A schema goes in OpenAI's form, then (`json_schema` left out) in that of llama.cpp, then not at all.
FORMS = ("json_schema", "response_format")
# What not every server or model knows. One that is refused is left out from then on, and the reply says so.
OPTIONAL = (*FORMS, "seed", "temperature", "max_tokens")
UNTOLD = ("json_schema", "max_tokens")
"""Left out in one form, and sent in another."""
QUOTED = 80


def build_request(told: LLMConfig, question: Prompt, left_out: Collection[str]) -> dict[str, Any]:
    """Return what is sent for a question, without the settings that are left out."""
    optional: dict[str, Any] = {"temperature": 0, "seed": told.seed}
    if question.schema is not None:
        optional["response_format"] = _form(question.schema, "json_schema" not in left_out)
    optional = {name: value for name, value in optional.items() if name not in left_out}
    # The newer name of the same setting: newer models know only that one, older servers only the other.
    length = "max_completion_tokens" if "max_tokens" in left_out else "max_tokens"
    messages = [dict(message) for message in question.messages]
    return {"model": told.model, "messages": messages, length: told.completion_tokens(question.max_tokens), **optional}


def _form(schema: Mapping[str, Any], new: bool) -> dict[str, Any]:
    """Return how a server is told the schema that its answer shall fit."""
    if new:
        return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(schema), "strict": True}}
    return {"type": "json_object", "schema": dict(schema)}


def find_unsupported(error: Any, words: str, question: Prompt, left_out: Collection[str]) -> str | None:
    """Return the setting that a server does not know, if it is one that can be left out.

    Args:
        error: an APIStatusError. words: what it says.
    """
    sent = [name for name in OPTIONAL if name not in left_out and (name not in FORMS or question.schema)]
    told = f"{error.param} {words}"
    if any(name in told for name in FORMS):  # the one form before the other, whichever is named
        told += " ".join(FORMS)
    named = [name for name in sent if name in told]
    # A server's own fault is none of ours, unless it names a setting.
    unnamed = next((name for name in FORMS if name in sent), None) if error.status_code < 500 else None
    return next(iter(named), unnamed)


def parse_response(question: Prompt, found: object, left_out: Collection[str]) -> Completion:
    """Return what a server's answer holds. The client library does not check it."""
    choices = getattr(found, "choices", None)
    first = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(first, "message", None)
    if message is None or not hasattr(message, "content"):
        return Completion(question.key, None, "error", f"the server's answer holds no message: {_beginning(found)}")
    if not isinstance(message.content, str | None):
        return Completion(
            question.key, None, "error", f"the server's message holds no text: {_beginning(message.content)}"
        )
    refusal = getattr(message, "refusal", None)
    reason = str(getattr(first, "finish_reason", ""))
    status = {"content_filter": "filtered", "length": "truncated"}.get(reason, "refused" if refusal else "ok")
    without = ", ".join(name for name in OPTIONAL if name in left_out and name not in UNTOLD)
    return Completion(
        question.key,
        None if message.content is None and status != "ok" else strip_reasoning(message.content or ""),
        status,  # type: ignore[arg-type]
        str(refusal or (f"asked without {without}" if without else "")),
        _count(found, "prompt_tokens"),
        _count(found, "completion_tokens"),
        str(getattr(found, "model", "") or ""),
    )


def _count(found: object, name: str) -> int | None:
    count = getattr(getattr(found, "usage", None), name, None)
    return count if isinstance(count, int) else None


def _beginning(found: object) -> str:
    """Quote the beginning of something that is no answer: a web page, an error in a field of its own."""
    whole = found.model_dump(exclude_none=True, warnings=False) if hasattr(found, "model_dump") else found
    text = " ".join(str(whole).split())
    return text[:QUOTED] + ("..." if len(text) > QUOTED else "")
