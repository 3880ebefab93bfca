"""The lines of the journals in a run of embeddings, and what all verdicts have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator
from typing_extensions import TypedDict

ContentLabel: TypeAlias = Literal["named", "missed", "unjudged"]
SafetyLabel: TypeAlias = Literal[
    "safe", "unsafe", "controversial", "refused", "not_refused", "unread", "refused_by_judge", "unparsed", "error"
]
"""`controversial` is what some guard models say between safe and unsafe. `refused` and `not_refused` come from a judge
that only recognises refusals: an answer that does not refuse need not be harmful. `unread` is what such a judge says of
an answer that it cannot read, and the verdict of every such judge on an empty one. The last four rate nothing."""
Label: TypeAlias = ContentLabel | SafetyLabel


class HeldOutAnswer(TypedDict):
    """A line of `verify.jsonl`: the answer to one held-out question about one embedding."""

    id: str
    """The embedding's id."""
    embedding: str
    """The digest of the embedding that was asked about: the answer counts only while the run has this one."""
    question: str
    answer: str
    content: str
    """The phrase that the embedding was made for."""
    kind: str


class VerdictRecord(TypedDict):
    """The fields of a stored verdict. A run folder adds those that identify the answer (see `StoredAnswer.binding`)."""

    judge: str
    prompt_sha: str
    verdict: Label
    refused: bool | None
    detail: str
    raw: str
    tokens_in: int | None
    tokens_out: int | None
    at: str


class ContentVerdict(VerdictRecord):
    """A line of `verdicts.jsonl`: a judge's verdict on an answer to a held-out question."""

    id: str
    question: str
    answer: str


class AuditRecord(TypedDict):
    """A line of `audit.jsonl`: the answers that the model generates from an embedding.

    Attributes:
        embedding: the digest of the embedding.
        margin: the margin of the embedding's success.
        targets: the target answers.
        answers: the generated answers.
        exact: whether they are the same, token for token.
    """

    id: str
    embedding: str
    margin: float
    targets: list[str]
    answers: list[str]
    exact: bool


class TrialRecord(TypedDict):
    """A line of `tuning.jsonl`: one example with one learning rate."""

    lr: float
    id: str
    status: str
    steps: int


class DistanceRecord(TypedDict):
    """The distances of one embedding, a line of `analysis.jsonl`. `nearest` is the name of the nearest medium."""

    what: Literal["distance"]
    media: str
    id: str
    recipe: str
    norm_ratio: float | None
    cosine_nearest: float | None
    cosine_mean: float | None
    centred_cosine: float | None
    nearest: str


class ProbeRecord(TypedDict):
    """What one probe predicts for one medium, a line of `analysis.jsonl`. `predicted` is None for an unknown label."""

    what: Literal["probe"]
    fit: str
    media: str
    fitted_on: str
    embeddings: int
    classes: int
    medium: str
    label: str
    harmful: bool | None
    predicted: str | None


AnalysisRecord: TypeAlias = DistanceRecord | ProbeRecord
STORED_ANALYSIS: Any = Annotated[AnalysisRecord, Discriminator("what")]
"""What a line of `analysis.jsonl` is checked against."""
