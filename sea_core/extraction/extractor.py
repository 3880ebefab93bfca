"""What an extractor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sea_core.data.examples import Extraction

if TYPE_CHECKING:
    from sea_core.llm.config import LLMConfig
    from sea_core.runs.jsonl import JsonlLog


NO_ANSWER = "the language model gave no answer; re-run the same command to retry"
"""The only reason that is not final."""


class ExtractionFailed(Exception):
    """The reason why an extractor found nothing in an instruction.

    Args:
        reason: one of a few fixed sentences, so that reasons can be counted.
        detail: what varies; it is appended after a colon.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Extractor(ABC):
    """Finds the phrases of instructions, and writes the instructions without them.

    Attributes:
        name: what `--extractor` takes.
    """

    name: str

    @abstractmethod
    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        """Yield (index of the instruction, extraction or the reason why there is none), each index once, in any order.

        It must not guess: an instruction that it does not understand gets an ExtractionFailed.

        Raises:
            SeaError: it cannot work at all.
        """

    def identity(self) -> Mapping[str, Any]:
        """Return all that can change an extraction. A run can only be resumed with the same identity.

        An extractor that asks a language model has the model's identity under "llm".
        """
        return {"name": self.name}

    def in_language(self, language: str) -> Extractor:
        """Return the extractor for sentences in a language (ISO 639-1).

        Only extractors that write sentences in other languages than English override this.
        """
        return self

    def configured(self, config: LLMConfig, log: JsonlLog | None) -> Extractor:
        """Return the extractor with the user's settings. Only extractors that ask a language model override this.

        Args:
            config: the settings `-o llm.KEY=VALUE`.
            log: stores the completions, so that none is paid for twice; None if there is no place for them.
        """
        return self
