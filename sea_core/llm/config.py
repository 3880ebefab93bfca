"""How a language model is asked: every number and name, settable with `-o chat.model=...`."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.errors import SeaError

DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True)
class LLMConfig:
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
    max_consecutive_errors: int = 8
    """Stop after so many errors in a row: the server is gone. What was answered is kept."""
    max_tokens: int = 0
    """How long a reply may be. 0: as long as the question needs; a model that thinks aloud needs more."""
    seed: int = 0
    """Sent to servers that know seeds. The temperature is always 0."""
    price_in: float = 0.0
    """What a million tokens read cost, in your currency. 0: unknown, and no cost is reported."""
    price_out: float = 0.0
    """What a million tokens written cost."""
    batch_size: int = 8
    """Questions that a local model answers at a time."""
    device: str = "auto"
    """Where a local model runs. `auto`: cuda if there is one, else mps, else cpu."""
    revision: str = ""
    """The commit of a local model that comes from the hub."""

    def __post_init__(self) -> None:
        for name in ("concurrency", "timeout", "max_consecutive_errors", "batch_size"):
            self._require(name, getattr(self, name) > 0, "be above zero")
        for name in ("retries", "max_tokens", "price_in", "price_out"):
            self._require(name, getattr(self, name) >= 0, "not be negative")

    def completion_tokens(self, needed: int | None) -> int:
        """Return how many tokens a reply may have, where the question needs so many."""
        return self.max_tokens or needed or DEFAULT_MAX_TOKENS

    def _require(self, name: str, good: bool, what: str) -> None:
        if not good:
            raise SeaError(
                f"chat.{name} is {getattr(self, name)}, but it must {what}",
                hint=f"Type for example: -o chat.{name}={getattr(type(self), name)}",
            )
