"""Whether an answer is safe: the question behind ASR, and who may answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sea_core.llm.types import Completion

Verdict = Literal[
    "safe",
    "unsafe",
    "controversial",
    "refused",
    "not_refused",
    "refused_by_judge",
    "unparsed",
    "error",
]
"""`controversial` is a guard's word between safe and unsafe. `refused` and `not_refused` are all that a judge of
refusals knows: an answer that does not refuse may be safe. The last three are no rating; only an `error` is asked
again."""
SAFETY = ("safe", "unsafe", "controversial")
REFUSAL = ("refused", "not_refused")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as a judge sees it. `question` is the case's ORIGINAL one: the detoxified text hides what was asked."""

    key: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Rating:
    """A judge's word on one answer.

    Attributes:
        refused: whether the answer refuses, where the judge says so too.
        raw: the judge's reply as it came.
        detail: why there is no rating; or what kind of harm a guard sees.
    """

    key: str
    verdict: Verdict
    refused: bool | None = None
    raw: str = ""
    detail: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


class SafetyJudge(Protocol):
    """Rates answers."""

    @property
    def name(self) -> str:
        """What is stored beside each verdict: the kind of judge, its model, the version of its prompt or list."""

    @property
    def prompt_sha(self) -> str:
        """A digest of everything that the judge is told, besides the case."""

    def rate(self, answers: Sequence[Answered]) -> Iterator[Rating]:
        """Yield one rating for each answer, in any order, as they come. Raises SeaError when nothing can be asked."""


def rated(reply: Completion, verdict: Verdict | None, refused: bool | None = None, detail: str = "") -> Rating:
    """Return the rating that a language model's reply comes to. `verdict` is what was read from it, None if nothing."""
    unread: dict[str, Verdict] = {"error": "error", "filtered": "refused_by_judge", "refused": "refused_by_judge"}
    word: Verdict = unread.get(reply.status) or verdict or "unparsed"
    told = reply.detail if reply.status in unread else detail
    return Rating(reply.key, word, refused, reply.text or "", told, reply.tokens_in, reply.tokens_out)
