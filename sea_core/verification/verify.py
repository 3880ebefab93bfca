"""VSR: ask about an embedding in words that its optimisation did not use, and let judges say if the content is named.

Answers are stored apart from verdicts, so that more judges can be heard later without asking the model again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sea_core.errors import RunError
from sea_core.judges.content import Asked, ContentJudge
from sea_core.judges.tally import key, latest
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import verify_questions
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.store import EmbeddingRecord

MAX_NEW_TOKENS = 48


def unanswered_questions(adapter: Adapter, run: EmbeddingRun) -> list[tuple[EmbeddingRecord, str]]:
    """Return each succeeded row with each held-out question that has no stored answer yet."""
    asked = {(row["id"], row["question"]) for row in run.answers.read()}
    good = [record for record in run.store.records() if record["status"] == "succeeded"]
    pairs = [(r, q) for r in good for q in verify_questions(adapter, r["kind"])]
    return [(record, question) for record, question in pairs if (record["id"], question) not in asked]


def verify(mllm: MLLM, run: EmbeddingRun, batch_size: int = 16) -> Iterator[int]:
    """Ask what is left to ask and store the answers. Yields how many were answered, batch by batch.

    Raises:
        RunError: an embedding is not of this model's width, so it was made by another.
    """
    check_width(mllm, run)
    left = unanswered_questions(mllm.adapter, run)
    for start in range(0, len(left), batch_size):
        pairs = left[start : start + batch_size]
        embeddings = [run.embedding(record["id"]) for record, _ in pairs]
        answers = mllm.generate([question for _, question in pairs], embeddings, MAX_NEW_TOKENS)
        run.answers.append(
            {
                "id": record["id"],
                "question": question,
                "answer": mllm.detokenize(answer),
                "content": record["phrase"],
                "kind": record["kind"],
            }
            for (record, question), answer in zip(pairs, answers, strict=True)
        )
        yield len(pairs)


def unjudged_answers(run: EmbeddingRun, judge: ContentJudge) -> list[dict[str, Any]]:
    """Return the stored answers that the judge has given no word on; those that it could not judge are among them."""
    words = latest(run.verdicts.read(), judge.name)
    return [answer for answer in run.answers.read() if words.get(key(answer), "unjudged") == "unjudged"]


def run_judge(run: EmbeddingRun, judge: ContentJudge) -> Iterator[int]:
    """Let a judge speak about the answers that are left. Yields how many verdicts were stored (see `Journal.keep`)."""
    left = unjudged_answers(run, judge)
    words = judge.judge([Asked(row["question"], row["answer"], row["content"]) for row in left])
    yield from run.verdicts.append_stream(
        {name: left[word.index][name] for name in ("id", "question", "answer")}
        | {"judge": judge.name, "verdict": word.verdict, "detail": word.detail}
        for word in words
    )


def missed(run: EmbeddingRun, judge: str) -> list[dict[str, Any]]:
    """Return the stored answers that do not name the content, as this judge sees it."""
    words = latest(run.verdicts.read(), judge)
    return [answer for answer in run.answers.read() if words.get(key(answer)) == "missed"]


def check_width(mllm: MLLM, run: EmbeddingRun) -> None:
    """Refuse a run whose embeddings do not fit the model's projector."""
    width = mllm.blank().features.shape[-1]
    for record in run.store.records():
        if record["sha256"] and record["d_encoder"] != width:
            raise RunError(
                f"the embeddings of {run.folder} are {record['d_encoder']} wide, this model's encoder gives {width}",
                hint="Use the model that made them; run.json names it.",
            )
