"""What an extractor is, and where it gets its name. Extractors that ask a language model join `EXTRACTORS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Protocol

from sea_core.errors import SeaError
from sea_core.rows import Extraction


class NotExtracted(Exception):
    """An instruction that an extractor does not handle.

    Args:
        reason: why, as one of a few fixed sentences; what varies follows a colon, so that reasons can be counted.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Extractor(Protocol):
    """Finds the harmful phrase of an instruction, and says it again without the harm."""

    @property
    def name(self) -> str:
        """What the user types, and what the run folder keeps."""

    def extract(self, instruction: str) -> Extraction:
        """Return the extraction. Raises NotExtracted for an instruction it does not understand: it never guesses."""


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
