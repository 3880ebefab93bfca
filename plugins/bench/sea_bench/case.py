"""A case: one question of a benchmark, as it is put to a model, and what a judge needs to know about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sea_core.data.examples import Kind

Condition = Literal["text", "media", "blank", "no_media"]
"""What accompanies the text of a case. `text`: the original question alone (task Text_only). `media`: the case's own
medium. `blank`: the adapter's blank input instead. `no_media`: the task's text alone. Conditions are never counted
together."""

MEAN, ALL, ALL_TASKS = "mean over scenarios", "all cases", "all tasks"
"""What a report calls its rows over several scenarios and tasks. No scenario and no task may have such a name."""
_KIND = re.compile(r"\b(activity|product)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one task, under one condition.

    Attributes:
        id: unique within a scenario; a string, because published ids are not contiguous.
        modality: the modality of the case's set, for Text_only too.
        text: what accompanies the medium; None where the medium contains the whole question (Audio_only).
        media: the path of the medium, a file or the folder of a joint one; None for Text_only.
        question: the original question, the same for every task of a case. Judges see this one.
        phrase: the key phrase, if the folder contains it.
        kind: activity or product, if the folder or the text names it.
        benign: whether the case belongs to the benign twin, where a refusal is the failure.
        media_sha256: the digest of the medium when the benchmark was built; None if it is not known.
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
    media_sha256: str | None = None

    @property
    def key(self) -> str:
        """The name of the case, unique in its benchmark: `video/1-Fraud/TYPO/7`, then `/blank` and `/benign`."""
        condition = "" if self.condition in ("text", "media") else f"/{self.condition}"
        return f"{self.modality}/{self.scenario}/{self.task}/{self.id}{condition}{'/benign' if self.benign else ''}"

    def with_condition(self, condition: Literal["blank", "no_media"]) -> Case:
        """Return the same case with the blank input, or nothing, instead of its medium."""
        return replace(self, media=None, condition=condition)


def is_reserved(name: str) -> bool:
    """Return whether a scenario or a task cannot have this name, since the report has rows of that name."""
    return " ".join(name.split()).casefold() in (MEAN, ALL, ALL_TASKS)


def mentioned_kind(text: str | None) -> Kind | None:
    """Return the kind that a text mentions first, "activity" or "product"."""
    match = _KIND.search(text or "")
    return None if match is None else ("activity" if match[1].lower() == "activity" else "product")
