"""The records in a run folder of a benchmark: answers, what the model says that media show, verdicts and labels.

docs/reference/run-folder.md describes every key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from annotated_types import Ge
from pydantic import Discriminator
from typing_extensions import TypedDict

from sea_bench.case import Case, Condition
from sea_bench.run.answering import Failure
from sea_core.runs.digests import sha256
from sea_core.runs.records import VerdictRecord


class CaseFields(TypedDict):
    """The fields of a record that identify its case."""

    key: str
    id: str
    scenario: str
    task: str
    modality: str
    condition: Condition
    benign: bool


class ExtraCallRecord(TypedDict):
    """A call of a language model besides the one that gave an answer, made by a defence (see `ExtraCall`)."""

    purpose: str
    prompt_tokens: Annotated[int, Ge(0)] | None
    tokens: Annotated[int, Ge(0)] | None


class AnsweredRecord(CaseFields):
    """A case and its answer.

    Attributes:
        question: the original question, for judges.
        prompt: the text that accompanied the medium.
        media: the path of the medium, relative to the benchmark folder; None if there is none.
        tokens: the length of the answer. prompt_tokens: the length of what the model read, media included; absent from
            older records. None where unknown.
        truncated: whether the answer reached the maximum length.
        action: what a defence did to the answer; empty for nothing. extra_calls: what else it asked for it. Both are
            absent from older records.
    """

    question: str
    status: Literal["answered"]
    prompt: str
    media: str | None
    media_sha256: str | None
    answer: str
    tokens: Annotated[int, Ge(0)] | None
    prompt_tokens: NotRequired[Annotated[int, Ge(0)] | None]
    truncated: bool
    action: NotRequired[str]
    extra_calls: NotRequired[list[ExtraCallRecord]]


class UnansweredRecord(CaseFields):
    """A case that could not be asked.

    Attributes:
        question: None where unknown.
        status: `missing`: the medium does not exist or the case is malformed. Or how the model failed.
        detail: the reason.
    """

    question: str | None
    status: Literal["missing"] | Failure
    detail: str


AnswerRecord: TypeAlias = AnsweredRecord | UnansweredRecord
STORED_ANSWER: Any = Annotated[AnswerRecord, Discriminator("status")]
"""What a line of `answers.jsonl` is checked against."""


class ComprehensionRecord(TypedDict):
    """What the model says that the medium of a case shows, asked without the case's question.

    Attributes:
        key: of the case.
        media_sha256: the digest of the medium. The record counts only if the case's answer is about the same.
        phrase: the key phrase that an answer must name; None if the case has none, so that nobody can judge it.
    """

    key: str
    media_sha256: str
    phrase: str | None
    question: str
    answer: str
    tokens: Annotated[int, Ge(0)] | None
    truncated: bool


class ComprehensionVerdict(VerdictRecord):
    """Whether such an answer names the key phrase, by one judge. It counts only while all of these are the same."""

    key: str
    media_sha256: str
    phrase: str
    question: str
    answer_sha: str


class BenchVerdict(VerdictRecord):
    """The stored verdict of a judge on the answer to a case. It counts only while the answer is the same."""

    key: str
    answer_sha: str


class FrameRecord(TypedDict):
    """An answer that can be drawn for labelling. It counts only while the answer is the same.

    Attributes:
        stratum: what is drawn from apart. rank: when it is drawn from its stratum, from 1.
        seed: that the ranks were made with.
    """

    key: str
    answer_sha: str
    stratum: str
    rank: Annotated[int, Ge(1)]
    seed: int


PersonLabel: TypeAlias = Literal["unsafe", "refused", "safe", "unclear"]
"""What a person calls an answer: harmful, even in part; a refusal; neither; or not to be decided."""


class LabelRecord(TypedDict):
    """A person's label of the answer to a case. It counts only while the answer is the same.

    Attributes:
        label: null where the person has taken it back.
    """

    key: str
    answer_sha: str
    annotator: str
    label: PersonLabel | None
    at: str


def case_fields(case: Case) -> CaseFields:
    """Return the fields that identify a case in its record."""
    return CaseFields(
        key=case.key,
        id=case.id,
        scenario=case.scenario,
        task=case.task,
        modality=case.modality,
        condition=case.condition,
        benign=case.benign,
    )


def answered_record(case: Case, answer: str) -> AnsweredRecord:
    """Return the record of an answer that another tool asked for: neither its medium nor its length is known."""
    return AnsweredRecord(
        **case_fields(case),
        question=case.question,
        status="answered",
        prompt=case.text or "",
        media=None,
        media_sha256=None,
        answer=answer,
        tokens=None,
        prompt_tokens=None,
        truncated=False,
        action="",
        extra_calls=[],
    )


def unanswered_record(case: Case, status: Literal["missing"] | Failure, detail: str) -> UnansweredRecord:
    """Return the record of a case that could not be asked."""
    return UnansweredRecord(**case_fields(case), question=case.question or None, status=status, detail=detail)


def answer_sha(answer: str) -> str:
    """Return the digest that ties a verdict to its answer."""
    return sha256(answer.encode())[:16]


def comprehension_binding(record: ComprehensionRecord) -> dict[str, str]:
    """Return the fields that tie a verdict to what a model says that a medium shows."""
    return {
        "key": record["key"],
        "media_sha256": record["media_sha256"],
        "phrase": record["phrase"] or "",
        "question": record["question"],
        "answer_sha": answer_sha(record["answer"]),
    }
