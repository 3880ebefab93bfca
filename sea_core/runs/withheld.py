"""The texts of a run that was shared without them: what each was, by its digest, and those that were put back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from typing_extensions import TypedDict

from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.jsonl import JsonlLog


class WithheldRecord(TypedDict):
    """A line of `withheld.jsonl`: an embedding whose example has its texts elsewhere, and their digest."""

    id: str
    sha256: str


class TextRecord(TypedDict):
    """A line of `texts.jsonl`: the texts that were put back for an embedding."""

    id: str
    instruction: str
    response: str | None
    chosen: str | None
    rejected: str | None


class WithheldTexts:
    """The texts of a run that was shared without them.

    Attributes:
        withheld: the log of what is not in the index. found: the log of the texts that were put back.
    """

    def __init__(self, folder: Path) -> None:
        self.withheld = JsonlLog(folder / "withheld.jsonl", WithheldRecord, key=("id",))
        self.found = JsonlLog(folder / "texts.jsonl", TextRecord, key=("id",))

    def fill(self, records: Mapping[str, EmbeddingRecord]) -> dict[str, EmbeddingRecord]:
        """Return the records of a run, with the texts that were put back."""
        filled = dict(records)
        for text in self.found.read(skip_damaged=True):
            record = filled.get(text["id"])
            if record and not record["instruction"]:
                filled[text["id"]] = {**record, **text}
        return filled
