"""The extractors that SEA brings, by name. Plugins add others with the hook `sea_extractors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from sea_core.errors import SeaError
from sea_core.extraction.extractor import Extractor


def _rules() -> Extractor:
    from sea_core.extraction.rules.extractor import RulesExtractor

    return RulesExtractor()


def _openai() -> Extractor:
    from sea_core.extraction.llm import LLMExtractor

    return LLMExtractor("openai")


def _transformers() -> Extractor:
    from sea_core.extraction.llm import LLMExtractor

    return LLMExtractor("transformers")


EXTRACTORS: Mapping[str, Callable[[], Extractor]] = {
    "rules": _rules,
    "openai": _openai,
    "transformers": _transformers,
}


def get_extractor(name: str) -> Extractor:
    """Return the extractor of that name. Raises SeaError, with the nearest name, when there is none."""
    if name in EXTRACTORS:
        return EXTRACTORS[name]()
    close = get_close_matches(name, EXTRACTORS, n=1)
    hint = f"Did you mean {close[0]} ?" if close else f"Known: {', '.join(EXTRACTORS)}, or a plugin that brings one."
    raise SeaError(f'There is no extractor "{name}".', hint=hint)
