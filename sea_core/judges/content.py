"""Whether an answer names the content of an embedding: the question behind VSR, and who may answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Verdict = Literal["named", "missed", "unjudged"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer as a judge sees it. `content` is what the embedding was made to show."""

    question: str
    answer: str
    content: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A judge's word on the answer number `index`. `detail` says why there is none, where it is `unjudged`."""

    index: int
    verdict: Verdict
    detail: str = ""


class ContentJudge(Protocol):
    """Tells for answers whether they name a content."""

    @property
    def name(self) -> str:
        """What is stored beside each verdict: the kind of judge, its model, the version of its prompt."""

    def judge(self, asked: Sequence[Asked]) -> Iterator[Judged]:
        """Yield one verdict for each answer, in any order, as they come."""
