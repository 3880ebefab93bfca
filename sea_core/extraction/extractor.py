"""What an extractor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sea_core.data.examples import Extraction

if TYPE_CHECKING:
    from sea_core.llm.config import LLMConfig
    from sea_core.runs.jsonl import JsonlLog


NO_ANSWER = "the language model gave no answer; the same command asks again"
"""The one reason that is not final."""


class ExtractionFailed(Exception):
    """An instruction that an extractor does not handle.

    Args:
        reason: why, as one of a few fixed sentences; what varies follows a colon, so that reasons can be counted.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Extractor(ABC):
    """Finds the harmful phrases of instructions, and says these again without the harm.

    Attributes:
        name: what `--extractor` takes.
    """

    name: str

    @abstractmethod
    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        """Yield (index of the instruction, what was found or why nothing was), each index once, in any order.

        It never guesses: what it does not understand is a ExtractionFailed.

        Raises:
            SeaError: it cannot work at all.
        """

    def identity(self) -> Mapping[str, Any]:
        """Return what can change an extraction; a run is continued only with the same."""
        return {"name": self.name}

    def configured(self, config: LLMConfig, log: JsonlLog | None) -> Extractor:
        """Return the extractor as the user's settings want it. Only one that asks a language model needs this.

        Args:
            chat: the settings `-o chat.KEY=VALUE`.
            journal: where to keep answers, so that none is paid for twice; None where there is no place for them.
        """
        return self
