"""VSR: ask about an embedding in words that its optimisation did not use, and let judges say if the content is named.

Answers are stored apart from verdicts, so that more judges can be heard later without asking the model again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sea_core.adapter import Adapter
from sea_core.errors import RunError
from sea_core.judges.content import Asked, ContentJudge
from sea_core.judges.tally import key, latest
from sea_core.mllm import MLLM
from sea_core.run import Run
from sea_core.store import Record
from sea_core.templates import verify_questions

MAX_NEW_TOKENS = 48
EVERY = 1.0
"""Seconds between two writes of verdicts: each waits for the disk."""


def questions_left(adapter: Adapter, run: Run) -> list[tuple[Record, str]]:
    """Return each succeeded row with each held-out question that has no stored answer yet."""
    asked = {(row["id"], row["question"]) for row in run.answers.rows()}
    good = [record for record in run.store.records() if record["status"] == "succeeded"]
    pairs = [(r, q) for r in good for q in verify_questions(adapter, r["kind"])]
    return [(record, question) for record, question in pairs if (record["id"], question) not in asked]


def verify(mllm: MLLM, run: Run, batch_size: int = 16) -> Iterator[int]:
    """Ask what is left to ask and store the answers. Yields how many were answered, batch by batch.

    Raises:
        RunError: an embedding is not of this model's width, so it was made by another.
    """
    check_width(mllm, run)
    left = questions_left(mllm.adapter, run)
    for start in range(0, len(left), batch_size):
        pairs = left[start : start + batch_size]
        embeddings = [run.embedding(record["id"]) for record, _ in pairs]
        answers = mllm.generate([question for _, question in pairs], embeddings, MAX_NEW_TOKENS)
        run.answers.append(
            {
                "id": record["id"],
                "question": question,
                "answer": mllm.say(answer),
                "content": record["phrase"],
                "kind": record["kind"],
            }
            for (record, question), answer in zip(pairs, answers, strict=True)
        )
        yield len(pairs)


def answers_left(run: Run, judge: ContentJudge) -> list[dict[str, Any]]:
    """Return the stored answers that the judge has given no word on; those that it could not judge are among them."""
    words = latest(run.verdicts.rows(), judge.name)
    return [answer for answer in run.answers.rows() if words.get(key(answer), "unjudged") == "unjudged"]


def hear(run: Run, judge: ContentJudge) -> Iterator[int]:
    """Let a judge speak about the answers that are left. Yields how many verdicts were stored, at least every second.

    What the judge has said is stored also when it raises, or when nobody asks for more.
    """
    left = answers_left(run, judge)
    fresh: list[dict[str, Any]] = []
    stored = time.monotonic()
    try:
        for word in judge.judge([Asked(row["question"], row["answer"], row["content"]) for row in left]):
            row = left[word.index]
            verdict = {"judge": judge.name, "verdict": word.verdict, "detail": word.detail}
            fresh.append({name: row[name] for name in ("id", "question", "answer")} | verdict)
            if time.monotonic() - stored >= EVERY:
                run.verdicts.append(fresh)
                count, fresh, stored = len(fresh), [], time.monotonic()
                yield count
    finally:
        if fresh:
            run.verdicts.append(fresh)
    if fresh:
        yield len(fresh)


def missed(run: Run, judge: str) -> list[dict[str, Any]]:
    """Return the stored answers that do not name the content, as this judge sees it."""
    words = latest(run.verdicts.rows(), judge)
    return [answer for answer in run.answers.rows() if words.get(key(answer)) == "missed"]


def check_width(mllm: MLLM, run: Run) -> None:
    """Refuse a run whose embeddings do not fit the model's projector."""
    width = mllm.blank().rows.shape[-1]
    for record in run.store.records():
        if record["sha256"] and record["d_encoder"] != width:
            raise RunError(
                f"the embeddings of {run.folder} are {record['d_encoder']} wide, this model's encoder gives {width}",
                hint="Use the model that made them; run.json names it.",
            )
