"""The backends: ways to run a language model, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sea_core.errors import SeaError
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import TextModel
from sea_core.registry import Registry


@dataclass(frozen=True)
class Backend:
    """A way to run a language model.

    Attributes:
        name: what `--judge` and `--extractor` take.
        example: a model's name, for messages.
        runs_here: whether it runs the model in this process.
        open: makes the client; it calls no server and loads no weights.
    """

    name: str
    example: str
    runs_here: bool
    open: Callable[[LLMConfig], TextModel]


def _openai(config: LLMConfig) -> TextModel:
    from sea_core.llm.openai import OpenAIModel

    return OpenAIModel(config)


def _transformers(config: LLMConfig) -> TextModel:
    from sea_core.llm.local import LocalModel

    return LocalModel(config)


BACKENDS: Registry[Backend] = Registry(
    "language model backend",
    (Backend("openai", "gpt-4o-mini", False, _openai), Backend("transformers", "./FOLDER", True, _transformers)),
)
"""`openai`: any server with an OpenAI-compatible chat API. `transformers`: a model on this machine."""


def open_model(backend: str, config: LLMConfig) -> TextModel:
    """Return the client of a language model; no server is called and no weights are loaded before the first prompt.

    Raises:
        SeaError: the backend is unknown, no model is set, or a key is missing.
    """
    found = BACKENDS.get(backend)
    if not config.model:
        raise SeaError("no language model was named", hint=f"Type for example: -o llm.model={found.example}")
    return found.open(config)
