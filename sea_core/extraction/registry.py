"""The built-in extractors by name. Plugins add others with the hook `sea_extractors`."""

from __future__ import annotations

from sea_core.extraction.extractor import Extractor
from sea_core.registry import Lazy, Registry


def _rules() -> Extractor:
    from sea_core.extraction.rules.extractor import RulesExtractor

    return RulesExtractor()


def _openai() -> Extractor:
    from sea_core.extraction.llm import LLMExtractor

    return LLMExtractor("openai")


def _transformers() -> Extractor:
    from sea_core.extraction.llm import LLMExtractor

    return LLMExtractor("transformers")


EXTRACTORS: Registry[Lazy[Extractor]] = Registry(
    "extractor", (Lazy("rules", _rules), Lazy("openai", _openai), Lazy("transformers", _transformers))
)


def get_extractor(name: str) -> Extractor:
    """Return a built-in extractor. Raises SeaError, with the nearest name, if there is no such one."""
    return EXTRACTORS.get(name).load()
