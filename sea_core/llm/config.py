"""The settings of a language model client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from sea_core.config import Config

DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True)
class ServerOptions:
    """What a user types to name a server, its model and its key: for hints."""

    address: str = "-o llm.base_url="
    model: str = "-o llm.model="
    key: str = "-o llm.key_env="

    @classmethod
    def of(cls, group: str) -> ServerOptions:
        """Return those of a group of settings, such as `guard`."""
        return cls(f"-o {group}.base_url=", f"-o {group}.model=", f"-o {group}.key_env=")


@dataclass(frozen=True)
class LLMConfig(Config):
    """Settings of the language model that extracts, judges or describes."""

    model: str = ""
    """The model's name on the server; for `transformers` a folder or a hub id."""
    base_url: str = "https://api.openai.com/v1"
    """The server's address; most end in /v1."""
    key_env: str = "OPENAI_API_KEY"
    """The NAME of the environment variable that holds the API key. The key itself is never written anywhere."""
    concurrency: Annotated[int, Gt(0)] = 8
    """Maximum number of prompts sent to the server at the same time."""
    timeout: Annotated[float, Gt(0)] = 60.0
    """Seconds to wait for one completion."""
    retries: Annotated[int, Ge(0)] = 4
    """How often a prompt is sent again after HTTP 429, 5xx or a timeout, with growing delays."""
    max_consecutive_errors: Annotated[int, Gt(0)] = 8
    """Stop after this many errors in a row, as the server is probably down. Completions received so far are kept."""
    max_tokens: Annotated[int, Ge(0)] = 0
    """Maximum length of a completion. 0: as long as the prompt needs; reasoning models need more."""
    seed: int = 0
    """Sent to servers that support seeds. The temperature is always 0."""
    price_in: Annotated[float, Ge(0)] = 0.0
    """Price of a million input tokens, in your currency. 0: unknown, and no cost is reported."""
    price_out: Annotated[float, Ge(0)] = 0.0
    """Price of a million output tokens."""
    batch_size: Annotated[int, Gt(0)] = 8
    """Prompts that a local model completes at a time."""
    device: str = "auto"
    """Device of a local model. `auto`: cuda if available, else mps, else cpu."""
    revision: str = ""
    """Commit of a local model that comes from the hub."""

    group: ClassVar[str] = "llm"

    def completion_tokens(self, needed: int | None) -> int:
        """Return the maximum length of a completion, where the prompt needs `needed` tokens."""
        return self.max_tokens or needed or DEFAULT_MAX_TOKENS


@dataclass(frozen=True)
class GuardConfig(LLMConfig):
    """Settings of the guard model."""

    base_url: str = ""
    """The address of the server that has the guard; most end in /v1. Empty: the guard runs here, with transformers."""

    group: ClassVar[str] = "guard"
