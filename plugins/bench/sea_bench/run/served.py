"""A model on a server with an OpenAI-compatible chat API, which answers cases with their media as parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from sea_bench.case import Case
from sea_bench.medium import read_digest
from sea_bench.run.answering import CasePrompt, FailedAnswer, GeneratedAnswer, ReadCase
from sea_bench.run.config import ServerConfig
from sea_bench.run.media_parts import MessagePart, blank_parts, media_parts, require_servable
from sea_core.errors import SeaError
from sea_core.llm.api_errors import LISTED, is_rejected
from sea_core.llm.config import LLMConfig, ServerOptions
from sea_core.llm.openai import OpenAIModel
from sea_core.llm.secrets import shown_address
from sea_core.llm.types import Completion, Message, Prompt
from sea_core.model.language import get_language

OPTIONS = ServerOptions("--server ", "--served-model ", "-o server.key_env=")
PER_THREAD = 8
"""How many cases are read ahead for each request that is sent at the same time."""
REPORTED = ("id", "root", "owned_by", "meta")
"""What a server's list of models says of a model, and does not change while the model is the same."""

OF_THE_SERVER = ("n_ctx",)
"""Keys of llama.cpp's `meta` that are settings of the server: they change no answer."""


@dataclass(frozen=True)
class ServedTarget:
    """Which model on which server, and of which modality the cases are.

    Attributes:
        url: the server's address; most end in /v1. model: the model's name there.
        config: how requests are sent.

    Raises:
        SeaError: the address is invalid, no model is named, the API key of a remote server is missing, or no server
            takes this modality.
    """

    url: str
    model: str
    modality: str
    config: ServerConfig = field(default_factory=ServerConfig)

    def __post_init__(self) -> None:
        require_servable(self.modality)
        if not self.model:
            listed = self.client.list_models()
            hint = f"It has: {', '.join(listed[:LISTED])}" if listed else "Type for example: --served-model NAME"
            raise SeaError("no model of the server was named (--served-model)", hint=hint)
        _ = self.client  # it checks the address

    @property
    def address(self) -> str:
        """The server's address without user, password and parameters."""
        return shown_address(self.url)

    @cached_property
    def client(self) -> OpenAIModel:
        """The client of the server; no request is sent before the first prompt."""
        config = self.config
        llm = LLMConfig(
            model=self.model,
            base_url=self.url,
            key_env=config.key_env,
            concurrency=config.concurrency,
            timeout=config.timeout,
            retries=config.retries,
            max_consecutive_errors=config.max_consecutive_errors,
            seed=config.seed,
        )
        return OpenAIModel(llm, OPTIONS)

    def reported(self) -> dict[str, Any]:
        """Return what the server says of the model, as far as it identifies it; nothing if it says nothing.

        Raises:
            SeaError: no server responds, or it denies access.
        """
        described = self.client.description()
        found = {name: described[name] for name in REPORTED if described.get(name) is not None}
        if isinstance(meta := found.get("meta"), dict):
            found["meta"] = {name: value for name, value in meta.items() if name not in OF_THE_SERVER}
        return found


@dataclass(frozen=True)
class ServedAnsweringModel:
    """A served model as an `AnsweringModel`. Its media are parts of a message."""

    target: ServedTarget

    @property
    def batch_size(self) -> int:
        return PER_THREAD * self.target.config.concurrency

    @property
    def comprehension_question(self) -> str:
        question: str = get_language("en").questions["held_out"][0]
        return question.format(noun=self.target.modality.replace("+", " and "))

    def read(self, case: Case) -> ReadCase:
        """Read and encode the medium of a case.

        Raises:
            DataError: the medium cannot be read, or is not the one that was built.
        """
        if case.condition == "blank":
            return ReadCase(case, self.blank)
        if case.media is None:
            return ReadCase(case)
        digest = read_digest(case)
        return ReadCase(case, media_parts(case.media, case.modality, self.target.config.frames), digest)

    @cached_property
    def blank(self) -> list[MessagePart]:
        """The parts of the blank input."""
        return blank_parts(self.target.modality, self.target.config.frames)

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        """Yield the answers as they arrive.

        Raises:
            SeaError: no server responds, it denies access, has no such model, or failed too often in a row.
        """
        requests = [Prompt(prompt.key, _messages(prompt), max_tokens=prompt.max_new_tokens) for prompt in prompts]
        yield from map(_answer, self.target.client.complete(requests))


def _messages(prompt: CasePrompt) -> list[Message]:
    """Return the chat of a prompt: the medium first, as local models have it."""
    turns: list[Message] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    if prompt.medium is None:
        return [*turns, {"role": "user", "content": prompt.text}]
    text = [{"type": "text", "text": prompt.text}] if prompt.text else []
    return [*turns, {"role": "user", "content": [*cast(list[MessagePart], prompt.medium), *text]}]


def _answer(completion: Completion) -> GeneratedAnswer | FailedAnswer:
    if completion.status == "error":
        return FailedAnswer(completion.key, "rejected" if is_rejected(completion) else "failed", completion.detail)
    if completion.status == "filtered":
        return FailedAnswer(completion.key, "filtered", completion.detail or "the answer ended at the content filter")
    return GeneratedAnswer(
        key=completion.key,
        text=completion.detail if completion.status == "refused" else completion.text or "",
        tokens=completion.tokens_out,
        prompt_tokens=completion.tokens_in,
        truncated=completion.status == "truncated",
    )
