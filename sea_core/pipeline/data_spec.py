"""A text safety set, and how to read and prepare it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.errors import SeaError, number_of
from sea_core.extraction.prepare import Benign, Preparation, prepare
from sea_core.extraction.styles import read_styles
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.read import read_examples
from sea_core.pipeline.reading import note_reading

if TYPE_CHECKING:
    from sea_core.data.result import ReadResult
    from sea_core.extraction.extractor import Extractor
    from sea_core.model.adapter import Adapter


MODEL_EXTRACTORS = (
    "The offline rules read English requests. A language model reads other texts: --extractor openai or "
    "--extractor transformers (docs/how-to/ask-a-server.md). "
)


@dataclass(frozen=True)
class DataSpec:
    """A text safety set, and how to read it.

    Attributes:
        path: a file, a folder, or `hf:OWNER/NAME`; None for the bundled demo examples.
        format: a name that `sea data check --help` lists, or `auto`.
        columns: SEA's column names to the file's, as in {"instruction": "question"}.
        limit: how many prepared examples to take; None for all.
        styles: a JSON style set (`sea styles`) to draw from, in place of the adapter's.
        split: which split of a folder or a hub data set.
        skip_invalid: skip records that cannot be read, instead of raising at the first.
    """

    path: Path | None = None
    format: str = "auto"
    columns: Mapping[str, str] | None = None
    limit: int | None = None
    styles: Path | None = None
    split: str | None = None
    skip_invalid: bool = False

    @classmethod
    def of(cls, data: DataSpec | Path | str | None) -> DataSpec:
        """Return a spec as it is, or one for a path."""
        if isinstance(data, DataSpec):
            return data
        return cls() if data is None else cls(Path(data))

    @property
    def name(self) -> str:
        """The set's name in a run folder's name: the file's stem, or `demo`."""
        return re.split("[.:@]", self.path.name)[0] if self.path else "demo"

    @property
    def file(self) -> Path:
        """The file, folder or hub name that is read."""
        return self.path or DEMO_EXAMPLES

    def read(self, progress: Progress = SILENT) -> ReadResult:
        """Read the examples.

        Raises:
            DataError: the set cannot be read, or holds no example.
        """
        columns = dict(self.columns) if self.columns else None
        found = read_examples(
            self.file,
            self.format,
            columns,
            split=self.split,
            skip_bad=self.skip_invalid,
        )
        if self.path and self.format == "auto" and found.format != "prepared":
            progress.note(f"{self.path}: detected format {found.format}; override it with --format")
        note_reading(found, self.file, progress)
        if found.invalid:
            invalid = number_of(len(found.invalid), "invalid record is", "invalid records are")
            progress.note(f"{invalid} skipped; list them with: sea data check {self.path}")
        return found

    def prepare(
        self, read: ReadResult, adapter: Adapter, *, seed: int, benign: Benign, extractor: Extractor | None = None
    ) -> Preparation:
        """Prepare the examples that were read. Raises SeaError when none can be used."""
        preparation = prepare(
            read.examples,
            adapter,
            seed=seed,
            benign=benign,
            extractor=extractor,
            styles=self.style_set(),
            limit=self.limit,
        )
        require_prepared(preparation, read, self.file, extractor)
        return preparation

    def style_set(self) -> tuple[str, ...]:
        """Return the styles of `styles`; empty where the adapter's are used."""
        return read_styles(self.styles) if self.styles else ()


def require_prepared(
    preparation: Preparation, read: ReadResult, path: Path, extractor: Extractor | None = None
) -> None:
    """Raise SeaError, with the counted reasons, when no example was prepared. No extractor stands for the rules."""
    if preparation.prepared:
        return
    reasons = "; ".join(f"{reason} ({count})" for reason, count in preparation.reason_counts().items())
    others = "" if extractor and "llm" in extractor.identity() else MODEL_EXTRACTORS
    raise SeaError(
        f"none of {number_of(len(read.examples), 'example')} could be prepared: {reasons}",
        hint=f"{others}Each example's reason: sea prepare FILE --plugin NAME --out report.jsonl",
        where=str(path),
    )


def parse_columns(text: str | None, example: str = "instruction=question,response=answer") -> dict[str, str] | None:
    """Parse `instruction=question,response=answer`.

    Raises:
        SeaError: it has another form, with the example; or a name occurs twice.
    """
    if text is None:
        return None
    pairs: Sequence[tuple[str, str, str]] = [pair.partition("=") for pair in text.split(",")]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise SeaError(f"--columns {text} is not understood", hint=f"Type: --columns {example}")
    named = [(ours.strip(), theirs.strip()) for ours, _, theirs in pairs]
    columns = dict(named)
    if len(columns) < len(named):
        name = next(name for number, (name, _) in enumerate(named) if name in dict(named[:number]))
        given = " and ".join(f"{ours}={theirs}" for ours, theirs in named if ours == name)
        raise SeaError(f"--columns names {name} twice: {given}", hint="Leave one of them out.")
    return columns
