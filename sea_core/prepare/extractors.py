"""The extractors there are, by name. Those that ask a language model join here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from sea_core.errors import SeaError
from sea_core.prepare.extractor import Extractor


def _rules() -> Extractor:
    from sea_core.prepare.rules import RulesExtractor

    return RulesExtractor()


EXTRACTORS: Mapping[str, Callable[[], Extractor]] = {"rules": _rules}


def get_extractor(name: str) -> Extractor:
    """Return the extractor of that name. Raises SeaError, with the nearest name, when there is none."""
    if name in EXTRACTORS:
        return EXTRACTORS[name]()
    close = get_close_matches(name, EXTRACTORS, n=1)
    hint = f"Did you mean {close[0]} ?" if close else f"Known: {', '.join(EXTRACTORS)}."
    raise SeaError(f'There is no extractor "{name}".', hint=hint)
