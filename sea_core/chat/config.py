"""How a language model is asked: every number and name, settable with `-o chat.model=...`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from sea_core.chat.nouns import Chat
from sea_core.errors import SeaError

KINDS = ("openai", "transformers")
"""A server that speaks OpenAI's chat protocol; a model of one's own, run by transformers."""


@dataclass(frozen=True)
class ChatConfig:
    """How a language model is asked. Each is settable: `-o chat.model=gpt-4o-mini`."""

    model: str = ""
    """A model that the server knows; for `transformers` a folder or a hub id."""
    base_url: str = "https://api.openai.com/v1"
    """Where the server is; most end in /v1."""
    key_env: str = "OPENAI_API_KEY"
    """The NAME of the environment variable that holds the API key. The key itself is never written anywhere."""
    concurrency: int = 8
    """Questions on their way to the server at a time."""
    timeout: float = 60.0
    """Seconds to wait for one answer."""
    retries: int = 4
    """How often one question is sent again after 429, 5xx or a time-out, waiting longer each time."""
    give_up: int = 8
    """Stop after so many errors in a row: the server is gone. What was answered is kept."""
    max_tokens: int = 512
    """How long a reply may be, where the question does not say."""
    seed: int = 0
    """Sent to servers that know seeds. The temperature is always 0."""
    price_in: float = 0.0
    """What a million tokens read cost, in your currency. 0: unknown, and no cost is reported."""
    price_out: float = 0.0
    """What a million tokens written cost."""
    batch_size: int = 8
    """Questions that a local model answers at a time."""
    device: str = "auto"
    """Where a local model runs. `auto`: cuda where there is one, else cpu."""
    revision: str = ""
    """The commit of a local model that comes from the hub."""

    def __post_init__(self) -> None:
        for name in ("concurrency", "timeout", "give_up", "max_tokens", "batch_size"):
            self._require(name, getattr(self, name) > 0, "be above zero")
        for name in ("retries", "price_in", "price_out"):
            self._require(name, getattr(self, name) >= 0, "not be negative")

    def _require(self, name: str, good: bool, what: str) -> None:
        if not good:
            raise SeaError(
                f"chat.{name} is {getattr(self, name)}, but it must {what}",
                hint=f"Type for example: -o chat.{name}={getattr(type(self), name)}",
            )


def open_chat(kind: str, config: ChatConfig) -> Chat:
    """Return the language model to ask; no server is called and no weights are loaded before the first question.

    Raises:
        SeaError: an unknown kind, no model named, or no key where one is needed.
    """
    if kind not in KINDS:
        close = get_close_matches(kind, KINDS, n=1)
        raise SeaError(
            f'there is no way to ask a language model called "{kind}"',
            hint=f"Did you mean {close[0]} ?" if close else f"Known: {', '.join(KINDS)}.",
        )
    if not config.model:
        example = "gpt-4o-mini" if kind == "openai" else "./FOLDER"
        raise SeaError("no language model was named", hint=f"Type for example: -o chat.model={example}")
    if kind == "openai":
        from sea_core.chat.openai import OpenAIChat

        return OpenAIChat(config)
    from sea_core.chat.local import LocalChat

    return LocalChat(config)
