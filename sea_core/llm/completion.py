"""The requests and responses of OpenAI's chat completions API. Responses are checked in full: servers differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sea_core.errors import one_line
from sea_core.llm.config import LLMConfig
from sea_core.llm.reasoning import strip_reasoning
from sea_core.llm.types import Completion, Prompt, Status

# A schema is sent in OpenAI's form, then (with `json_schema` omitted) in llama.cpp's, then not at all.
SCHEMA_FORMS = ("json_schema", "response_format")
# Settings that not every server supports. One that is rejected is omitted from then on, and completions mention it.
OPTIONAL = (*SCHEMA_FORMS, "seed", "temperature", "max_tokens")
SENT_OTHERWISE = ("json_schema", "max_tokens")
"""When omitted, these are sent in another form, which completions need not mention."""
STATUS_BY_FINISH_REASON: Mapping[str, Status] = {"content_filter": "filtered", "length": "truncated"}
PREVIEW_LENGTH = 80
MAX_LENGTH = 1_000_000
"""Characters of a response. Every prompt asks for far fewer; a longer one would only fill memory and disk."""


def build_request(config: LLMConfig, prompt: Prompt, omitted: Collection[str]) -> dict[str, Any]:
    """Return the arguments of a request, without the settings that are omitted."""
    optional: dict[str, Any] = {"temperature": 0, "seed": config.seed}
    if prompt.schema is not None:
        optional["response_format"] = _response_format(prompt.schema, "json_schema" not in omitted)
    # Newer models only accept the new name of this setting, older servers only the old one.
    length = "max_completion_tokens" if "max_tokens" in omitted else "max_tokens"
    return {
        "model": config.model,
        "messages": [dict(message) for message in prompt.messages],
        length: config.completion_tokens(prompt.max_tokens),
        **{name: value for name, value in optional.items() if name not in omitted},
    }


def _response_format(schema: Mapping[str, Any], openai_form: bool) -> dict[str, Any]:
    if openai_form:
        return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(schema), "strict": True}}
    return {"type": "json_object", "schema": dict(schema)}


def find_unsupported(error: Any, message: str, prompt: Prompt, omitted: Collection[str]) -> str | None:
    """Return the setting that a server rejected, if it is one that can be omitted.

    Args:
        error: an APIStatusError.
        message: the error in the server's words.
    """
    sent = [name for name in OPTIONAL if name not in omitted and (name not in SCHEMA_FORMS or prompt.schema)]
    text = f"{error.param} {message}"
    if any(name in text for name in SCHEMA_FORMS):  # the first form is omitted first, whichever is mentioned
        text += " ".join(SCHEMA_FORMS)
    mentioned = [name for name in sent if name in text]
    # An unspecific error may be about the schema, but not if it is the server's own (5xx).
    fallback = next((name for name in SCHEMA_FORMS if name in sent), None) if error.status_code < 500 else None
    return next(iter(mentioned), fallback)


def parse_response(prompt: Prompt, response: object, omitted: Collection[str]) -> Completion:
    """Return the completion in a response, which the client library does not validate."""
    choices = getattr(response, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if message is None or not hasattr(message, "content"):
        return Completion(prompt.key, None, "error", f"the response has no message: {_preview(response)}")
    if not isinstance(message.content, str | None):
        return Completion(prompt.key, None, "error", f"the message has no text: {_preview(message.content)}")
    refusal, model = getattr(message, "refusal", None), str(getattr(response, "model", "") or "")
    if (length := len(message.content or "") + len(str(refusal)) + len(model)) > MAX_LENGTH:
        return Completion(prompt.key, None, "error", f"the response has {length} characters")
    finish_reason = str(getattr(choice, "finish_reason", ""))
    status = STATUS_BY_FINISH_REASON.get(finish_reason, "refused" if refusal else "ok")
    unsupported = ", ".join(name for name in OPTIONAL if name in omitted and name not in SENT_OTHERWISE)
    return Completion(
        key=prompt.key,
        text=None if message.content is None and status != "ok" else strip_reasoning(message.content or ""),
        status=status,
        detail=str(refusal or (f"sent without {unsupported}" if unsupported else "")),
        tokens_in=_token_count(response, "prompt_tokens"),
        tokens_out=_token_count(response, "completion_tokens"),
        model=model,
    )


def _token_count(response: object, name: str) -> int | None:
    count = getattr(getattr(response, "usage", None), name, None)
    return count if isinstance(count, int) else None


def _preview(value: Any) -> str:
    """Return the beginning of an unexpected response, such as a web page."""
    text = one_line(value.model_dump(exclude_none=True, warnings=False) if hasattr(value, "model_dump") else value)
    return text[:PREVIEW_LENGTH] + ("..." if len(text) > PREVIEW_LENGTH else "")
