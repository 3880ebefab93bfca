"""What an extractor is."""

from __future__ import annotations

from typing import Protocol

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
