"""The ways to ask a language model, by name."""

from __future__ import annotations

from difflib import get_close_matches

from sea_core.errors import SeaError
from sea_core.llm.config import LLMConfig
from sea_core.llm.types import TextModel

BACKENDS = ("openai", "transformers")
"""A server that speaks OpenAI's chat protocol; a model of one's own, run by transformers."""


def open_model(kind: str, config: LLMConfig) -> TextModel:
    """Return the language model to ask; no server is called and no weights are loaded before the first question.

    Raises:
        SeaError: an unknown kind, no model named, or no key where one is needed.
    """
    if kind not in BACKENDS:
        close = get_close_matches(kind, BACKENDS, n=1)
        raise SeaError(
            f'there is no way to ask a language model called "{kind}"',
            hint=f"Did you mean {close[0]} ?" if close else f"Known: {', '.join(BACKENDS)}.",
        )
    if not config.model:
        example = "gpt-4o-mini" if kind == "openai" else "./FOLDER"
        raise SeaError("no language model was named", hint=f"Type for example: -o chat.model={example}")
    if kind == "openai":
        from sea_core.llm.openai import OpenAIModel

        return OpenAIModel(config)
    from sea_core.llm.local import LocalModel

    return LocalModel(config)
