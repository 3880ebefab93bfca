"""The nouns: a question, a reply, and what answers questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Message: TypeAlias = Mapping[str, str]
"""{"role": "system" | "user" | "assistant", "content": text}"""
Status = Literal["ok", "filtered", "refused", "truncated", "error"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a language model.

    Attributes:
        key: the asker's name for it; the reply carries it.
        messages: the conversation so far; the model speaks next.
        schema: the JSON schema that the reply shall fit, or None. A server may not know schemas: the messages must
            say the form in words too, and the asker checks what came.
        max_tokens: how long the reply need be; a config that says a length wins.
    """

    key: str
    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. All but an `error` is final: the same question again would bring the same.

    Attributes:
        text: what the model said, without what it thought aloud; None where it said nothing that could be read.
        status: `ok`; `filtered` (the provider's content filter), `refused` (the model says so in the field meant for
            it; a refusal in ordinary words is `ok`), `truncated` (longer than max_tokens), `error`.
        detail: what went wrong, or which setting the server did not know.
        tokens_in, tokens_out: None where the server does not tell.
        model: the model that answered, in the server's words.
    """

    key: str
    text: str | None
    status: Status
    detail: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str = ""


class TextModel(Protocol):
    """A language model that answers questions."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What can change an answer: kind, model, seed and the like. Journals and runs keep it; it holds no key."""

    def complete(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """Yield one reply for each question, in the order in which they come.

        Raises:
            SeaError: nothing can be asked (no server, a wrong key, no such model), or too many errors in a row.
        """
