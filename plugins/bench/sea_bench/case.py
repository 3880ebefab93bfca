"""A case: what is put to a model, and what a judge must know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sea_core.data.examples import Kind

Condition = Literal["text", "media", "blank", "no_media"]
"""What goes with the text. `text`: the original question alone (Text_only). `media`: the case's own medium. `blank`:
the adapter's blank input in the medium's place. `no_media`: the task's text alone. They are never counted together."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one task, under one condition.

    Attributes:
        id: unique within a scenario, and a string: published ids are not contiguous.
        modality: of the set that the case belongs to, for Text_only too.
        text: what goes with the medium; None where the medium says it all (Audio_only).
        media: the medium's path; None for Text_only.
        question: the original question, the same for every task of a case. Judges see this one.
        phrase: the key phrase, where the folder tells it.
        kind: activity or product, where the folder or the text tells it.
        benign: whether it belongs to the benign twin, where a refusal is the failure.
    """

    id: str
    scenario: str
    task: str
    modality: str
    text: str | None
    media: Path | None
    question: str
    phrase: str | None = None
    kind: Kind | None = None
    benign: bool = False
    condition: Condition = "media"

    @property
    def key(self) -> str:
        """The case's name, unique in its benchmark: `video/1-Fraud/TYPO/7`, with what sets it apart behind it."""
        asked = "" if self.condition in ("text", "media") else f"/{self.condition}"
        return f"{self.modality}/{self.scenario}/{self.task}/{self.id}{asked}{'/benign' if self.benign else ''}"

    def with_condition(self, condition: Literal["blank", "no_media"]) -> Case:
        """Return the same case with a blank, or nothing, in the place of its medium."""
        return replace(self, media=None, condition=condition)
