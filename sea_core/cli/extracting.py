"""What commands that prepare rows share: which extractor, how it asks, and what its questions cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.errors import SeaError
from sea_core.extraction.extractor import Extractor

if TYPE_CHECKING:
    from sea_core.data.examples import Extraction
    from sea_core.extraction.extractor import ExtractionFailed
    from sea_core.extraction.prepare import Preparation
    from sea_core.llm.cache import Usage
    from sea_core.llm.config import LLMConfig

Name = Annotated[
    str, typer.Option("--extractor", help="Who finds the phrases: rules (offline), openai, transformers, or a plugin.")
]


@dataclass(frozen=True)
class Extracting:
    """The extractor of a command.

    Attributes:
        extractor: ready to work.
        chat: how it asks a language model, if it does.
        answers: the journal of its answers.
    """

    extractor: Extractor
    chat: LLMConfig
    answers: Path | None

    @classmethod
    def of(cls, name: str, chat: LLMConfig, beside: Path | None) -> Extracting:
        """Find an extractor. `beside`: the file or folder that the command writes; answers lie beside it."""
        from sea_core.plugin import loader
        from sea_core.runs.jsonl import JsonlLog

        answers = beside.with_name(f"{beside.name.removesuffix('.jsonl')}.answers.jsonl") if beside else None
        extractor = loader.extractor(name).configured(chat, JsonlLog(answers) if answers else None)
        if asks(extractor) and not answers:
            raise SeaError(
                "the answers of the language model need a place, so that none is asked for twice",
                hint="Type for example: --out prepared.jsonl",
            )
        extractor.identity()  # a wrong setting is told before a file is read
        return cls(Watched(extractor), chat, answers)

    def spent(self) -> Usage | None:
        """Return what the answers came to; None where no language model was asked."""
        from sea_core.llm.cache import usage
        from sea_core.runs.jsonl import JsonlLog

        return usage(JsonlLog(self.answers), self.chat) if self.answers and self.answers.exists() else None

    def tell(self) -> None:
        """Say on stderr what the answers came to, where a language model was asked."""
        from sea_core.cli import output

        if spent := self.spent():
            cost = "" if spent.cost is None else f", cost {spent.cost:.4f}"
            tokens = f"{spent.tokens_in} tokens read, {spent.tokens_out} written"
            output.note(f"{self.answers} holds {spent.completions} answers: {tokens}{cost}")


def stop_if_unanswered(preparation: Preparation) -> None:
    """Say which rows are missing for want of an answer, and leave with 1: a script must not go on without them."""
    from sea_core.cli import output
    from sea_core.extraction.extractor import NO_ANSWER

    missing = [refused for refused in preparation.skipped if refused.reason.startswith(NO_ANSWER)]
    if missing:
        output.note(f"rows without an answer: {len(missing)}. {missing[-1].reason}")
        raise typer.Exit(1)


def asks(extractor: Extractor) -> bool:
    """Tell whether the extractor asks a language model."""
    return "chat" in extractor.identity()


class Watched(Extractor):
    """An extractor whose progress is shown."""

    def __init__(self, extractor: Extractor) -> None:
        self.name, self.extractor = extractor.name, extractor

    def identity(self) -> Mapping[str, Any]:
        return self.extractor.identity()

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        from sea_core.cli.progress import bar

        with bar("extract", len(instructions)) as progress:
            for found in self.extractor.extract(instructions):
                progress.advance()
                yield found
