"""The types: a prompt, a completion, and a text model that completes prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Message: TypeAlias = Mapping[str, Any]
"""{"role": "system" | "user" | "assistant", "content": text}. For a server, `content` may also be a list of parts, as
OpenAI's chat API has them: text, `image_url`, `input_audio`."""
Status = Literal["ok", "filtered", "refused", "truncated", "error"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt to a text model.

    Attributes:
        key: the caller's name for it, unique among the prompts of a call; the completion has the same.
        messages: the conversation so far; the assistant's turn is next.
        schema: the JSON schema of the reply, or None. A server may not support schemas: the messages must describe the
            form too, and the caller must validate the reply.
        max_tokens: how long the reply needs to be; a length in the config takes precedence.
    """

    key: str
    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of one prompt. All but an `error` is final: the same prompt would give the same again.

    Attributes:
        key: the prompt's.
        text: the reply without its reasoning; None if there is none that can be read.
        status: `ok`; `filtered` (by the provider's content filter); `refused` (by the model, in the field for
            refusals; a refusal in ordinary text is `ok`); `truncated` (longer than max_tokens); `error`.
        detail: what went wrong, or which settings the server does not support.
        tokens_in, tokens_out: None if the server does not report them.
        model: the model's name as reported by the server.
    """

    key: str
    text: str | None
    status: Status
    detail: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str = ""


class TextModel(Protocol):
    """A language model that completes prompts."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that can change a completion: backend, model, seed and so on, but no API key. It is stored with runs."""

    def complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield one completion per prompt, in the order in which they arrive.

        Raises:
            SeaError: no prompt can be completed (no server, a wrong key, no such model), or too many errors in a row.
        """
