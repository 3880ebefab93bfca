"""VSR: ask about an embedding in words that its optimisation did not use, and see whether the content is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sea_core.adapter import Adapter
from sea_core.errors import RunError
from sea_core.judges.match import names
from sea_core.mllm import MLLM
from sea_core.run import Run
from sea_core.store import Record
from sea_core.templates import verify_questions

MAX_NEW_TOKENS = 48


def questions_left(adapter: Adapter, run: Run) -> list[tuple[Record, str]]:
    """Return each succeeded row with each held-out question that has no stored answer yet."""
    asked = {(row["id"], row["question"]) for row in run.verdicts.rows()}
    good = [record for record in run.store.records() if record["status"] == "succeeded"]
    pairs = [(r, q) for r in good for q in verify_questions(adapter, r["kind"])]
    return [(record, question) for record, question in pairs if (record["id"], question) not in asked]


def verify(mllm: MLLM, run: Run, batch_size: int = 16) -> Iterator[int]:
    """Ask what is left to ask and store answers with verdicts. Yields how many were answered, batch by batch.

    Raises:
        RunError: an embedding is not of this model's width, so it was made by another.
    """
    check_width(mllm, run)
    left = questions_left(mllm.adapter, run)
    for start in range(0, len(left), batch_size):
        pairs = left[start : start + batch_size]
        embeddings = [run.embedding(record["id"]) for record, _ in pairs]
        answers = mllm.generate([question for _, question in pairs], embeddings, MAX_NEW_TOKENS)
        run.verdicts.append(_verdicts(mllm, pairs, answers))
        yield len(pairs)


def _verdicts(mllm: MLLM, pairs: Sequence[tuple[Record, str]], answers: Sequence[list[int]]) -> list[dict[str, Any]]:
    return [
        {
            "id": record["id"],
            "question": question,
            "answer": mllm.say(answer),
            "judge": "match",
            "content": record["phrase"],
            "named": names(mllm.say(answer), record["phrase"]),
        }
        for (record, question), answer in zip(pairs, answers, strict=True)
    ]


def check_width(mllm: MLLM, run: Run) -> None:
    """Refuse a run whose embeddings do not fit the model's projector."""
    width = mllm.blank().rows.shape[-1]
    for record in run.store.records():
        if record["sha256"] and record["d_encoder"] != width:
            raise RunError(
                f"the embeddings of {run.folder} are {record['d_encoder']} wide, this model's encoder gives {width}",
                hint="Use the model that made them; run.json names it.",
            )
