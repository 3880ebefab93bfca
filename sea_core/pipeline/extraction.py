"""Which extractor prepares the examples, where its answers are stored, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import SeaError, number_of
from sea_core.extraction.extractor import NO_ANSWER, Extractor
from sea_core.llm.cache import Usage, completion_log, usage
from sea_core.llm.config import LLMConfig
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader

if TYPE_CHECKING:
    from sea_core.data.examples import Extraction
    from sea_core.extraction.extractor import ExtractionFailed
    from sea_core.extraction.prepare import Preparation


@dataclass(frozen=True)
class ExtractorSession:
    """An extractor that is ready to work.

    Attributes:
        extractor: reports its progress.
        config: how it asks a language model, if it does.
        answers: the file that stores the language model's answers.
    """

    extractor: Extractor
    config: LLMConfig
    answers: Path | None

    @classmethod
    def open(
        cls, name: str, config: LLMConfig, output: Path | None, progress: Progress = SILENT, language: str = "en"
    ) -> ExtractorSession:
        """Open the extractor `name`.

        Args:
            output: the file or folder that the work writes; a language model's answers are stored beside it.
            language: of the sentences.

        Raises:
            SeaError: there is no such extractor, a setting is wrong, or the answers have no place.
        """
        answers = output.with_name(f"{output.name.removesuffix('.jsonl')}.answers.jsonl") if output else None
        extractor = loader.get_extractor(name).in_language(language)
        extractor = extractor.configured(config, completion_log(answers) if answers else None)
        if "llm" in extractor.identity() and not answers:
            raise SeaError(
                "the language model's answers need a file, so that no question is asked twice",
                hint="Type for example: --out prepared.jsonl",
            )
        extractor.identity()  # a wrong setting is reported before a file is read
        return cls(_TrackedExtractor(extractor, progress), config, answers)

    def usage(self) -> Usage | None:
        """Return what the stored answers cost; None where no language model was asked."""
        return usage(completion_log(self.answers), self.config) if self.answers and self.answers.exists() else None

    def note_usage(self, progress: Progress) -> None:
        """Note tokens and cost, where a language model was asked."""
        if found := self.usage():
            cost = "" if found.cost is None else f", cost {found.cost:.4f}"
            tokens = f"{found.tokens_in} input tokens, {found.tokens_out} output tokens"
            progress.note(f"{self.answers} holds {number_of(found.completions, 'answer')}: {tokens}{cost}")


def unanswered(preparation: Preparation) -> list[str]:
    """Return the reasons of the examples that a language model gave no answer for: re-running retries them."""
    return [skipped.reason for skipped in preparation.skipped if skipped.reason.startswith(NO_ANSWER)]


class _TrackedExtractor(Extractor):
    """An extractor that reports each instruction as progress."""

    def __init__(self, extractor: Extractor, progress: Progress) -> None:
        self.name, self.extractor, self.progress = extractor.name, extractor, progress

    def identity(self) -> Mapping[str, Any]:
        return self.extractor.identity()

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        with self.progress.track("prepare", len(instructions)) as tracker:
            for found in self.extractor.extract(instructions):
                tracker.advance()
                yield found
