"""A model that answers cases, wherever it runs: what `run_cases` needs of it, and nothing else.

A defence is such a model around another: it changes prompts on their way in, answers on their way out, or asks twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from sea_bench.case import Case

Medium: TypeAlias = object
"""A medium as one model takes it: only the model that read it knows its form."""
Failure = Literal["unreadable", "rejected", "filtered", "failed"]
"""Why there is no answer. `unreadable`: the medium or the text cannot be read. `rejected`: the model does not take this
prompt, for example because it is too long. `filtered`: the provider's content filter. `failed`: for the time being."""


NO_VERDICT = "no verdict"
"""The action of a defence that understood no verdict, and let pass."""


@dataclass(frozen=True, slots=True)
class ReadCase:
    """A case whose medium was read.

    Attributes:
        medium: None for a prompt without a medium.
        media_sha256: the digest of the case's own medium; None if it has none.
    """

    case: Case
    medium: Medium | None = None
    media_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class CasePrompt:
    """One prompt to a model.

    Attributes:
        key: the caller's name for it, unique among the prompts of a call; the answer has the same.
        text: what accompanies the medium; empty if the medium contains the whole question.
        medium: from `AnsweringModel.read`; None for a prompt of text alone.
        max_new_tokens: the maximum length of the answer.
        system: the system prompt; empty for the one that the model's chat template writes by itself, if any.
    """

    key: str
    text: str
    medium: Medium | None
    max_new_tokens: int
    system: str = ""


@dataclass(frozen=True, slots=True)
class ExtraCall:
    """A call of a language model besides the one that gave the answer, made by a defence.

    Attributes:
        purpose: what for, in one or two words.
        prompt_tokens, tokens: the length of what was read and generated. None where unknown.
    """

    purpose: str
    prompt_tokens: int | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """The answer to a prompt.

    Attributes:
        tokens: its length. prompt_tokens: the length of what the model read, media included. None where unknown.
        truncated: whether the answer reached its maximum length.
        extra_calls: what else was asked for this answer, by a defence.
        action: what a defence did to the answer, in a few words; empty for nothing, NO_VERDICT where it could not tell
            whether to do anything.
    """

    key: str
    text: str
    tokens: int | None
    prompt_tokens: int | None
    truncated: bool
    extra_calls: tuple[ExtraCall, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """Why a prompt has no answer."""

    key: str
    status: Failure
    detail: str


class AnsweringModel(Protocol):
    """A model that answers prompts about the media of cases, always greedily."""

    @property
    def batch_size(self) -> int:
        """How many cases to read and to answer at a time. It cannot change an answer, and may change during a run."""

    @property
    def comprehension_question(self) -> str:
        """The question what a medium shows: the same for all, and never used in an optimisation or an alignment."""

    def read(self, case: Case) -> ReadCase:
        """Read the medium of a case: its own, or the blank input where the case's condition is `blank`.

        Raises:
            SeaError, OSError: the medium cannot be read, or is not the one that was built; or a part of the text cannot
                be kept as text.
        """

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        """Yield one answer per prompt, in the order in which they arrive.

        Args:
            prompts: either all of them have a medium, or none.

        Raises:
            SeaError: no prompt can be answered, now or later.
        """
