"""Verification of embeddings: ask held-out questions about them, then judge whether the answers name the content.

Answers and verdicts are stored separately, so that other judges can be run later without the model.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from sea_core.data.examples import Kind
from sea_core.errors import RunError
from sea_core.judges.base import Answer
from sea_core.judges.score import StoredAnswer
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import EmbeddingRun, answer_key
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import HeldOutAnswer

MAX_NEW_TOKENS = 48
BATCH_SIZE = 16
"""How many questions are asked at a time."""
AskedQuestion: TypeAlias = tuple[str, str]
"""The id of an embedding, and a question about it."""


@dataclass(frozen=True)
class VerificationAnswers:
    """The answers of a run to the held-out questions, as an `AnswerStore` for the judges."""

    run: EmbeddingRun

    @property
    def verdicts(self) -> JsonlLog[Any]:
        return self.run.verdicts

    def stored_answers(self) -> list[StoredAnswer]:
        """Return every stored answer, in the order in which they were generated."""
        return [_stored_answer(answer) for answer in read_answers(self.run)]


def _stored_answer(record: HeldOutAnswer) -> StoredAnswer:
    binding = _binding(record)
    key = json.dumps(list(binding.values()))
    return StoredAnswer(Answer(key, record["question"], record["answer"], record["content"]), binding)


def _binding(record: HeldOutAnswer) -> dict[str, str]:
    return {"id": record["id"], "question": record["question"], "answer": record["answer"]}


def read_answers(run: EmbeddingRun) -> list[HeldOutAnswer]:
    """Return the stored answers, in the order in which they were generated."""
    return run.current_answers()


def unanswered_questions(adapter: Adapter, run: EmbeddingRun) -> list[tuple[EmbeddingRecord, str]]:
    """Return each successful embedding with each held-out question that has no stored answer yet."""
    answered = {(answer["id"], answer["question"]) for answer in read_answers(run)}
    return [pair for pair in questions(adapter, run) if _asked(pair) not in answered]


def questions(adapter: Adapter, run: EmbeddingRun) -> list[tuple[EmbeddingRecord, str]]:
    """Return each successful embedding with each held-out question."""
    return [
        (record, question)
        for record in run.records("succeeded")
        for question in held_out_questions(adapter, cast(Kind, record["kind"]))
    ]


def _asked(pair: tuple[EmbeddingRecord, str]) -> AskedQuestion:
    return pair[0]["id"], pair[1]


def generate_answers(
    mllm: MLLM, run: EmbeddingRun, batch_size: int = BATCH_SIZE, among: Container[AskedQuestion] | None = None
) -> Iterator[int]:
    """Ask the unanswered questions and store the answers. Yields the number of answers, batch by batch.

    Args:
        among: ask only those of these questions; None for all.

    Raises:
        RunError: the width of an embedding is not that of this model's encoder: another model made it.
    """
    check_width(mllm, run)
    unanswered = [pair for pair in unanswered_questions(mllm.adapter, run) if among is None or _asked(pair) in among]
    for start in range(0, len(unanswered), batch_size):
        pairs = unanswered[start : start + batch_size]
        embeddings = [load_embedding(run, record["id"]) for record, _ in pairs]
        token_ids = mllm.generate([question for _, question in pairs], embeddings, MAX_NEW_TOKENS)
        run.answers.append(
            {
                "id": record["id"],
                "embedding": record["sha256"],
                "question": question,
                "answer": mllm.detokenize(ids),
                "content": record["phrase"],
                "kind": record["kind"],
            }
            for (record, question), ids in zip(pairs, token_ids, strict=True)
        )
        yield len(pairs)


def missed_answers(run: EmbeddingRun, judge: str) -> list[HeldOutAnswer]:
    """Return the stored answers that, according to the judge of that name, do not name the content."""
    verdicts = run.latest_verdicts(judge)
    return [answer for answer in read_answers(run) if verdicts.get(answer_key(_binding(answer))) == "missed"]


def check_width(mllm: MLLM, run: EmbeddingRun) -> None:
    """Raise RunError if the embeddings of a run do not fit the model's projector."""
    width = mllm.blank().features.shape[-1]
    for record in run.store.records():
        if record["sha256"] and record["d_encoder"] != width:
            raise RunError(
                f"the embeddings of {run.folder} have width {record['d_encoder']}, but this model's encoder "
                f"produces width {width}",
                hint="Use the model that they were made for; it is named in run.json.",
            )
