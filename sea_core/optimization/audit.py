"""Spot checks of a run's claim: real greedy generation from stored embeddings, for about one success in a hundred."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.store import EmbeddingRecord

SHARE, LEAST = 0.01, 3


def unaudited(run: EmbeddingRun) -> list[EmbeddingRecord]:
    """Return the successes that are to be audited and have not been: those with the smallest digests of their ids."""
    good = [record for record in run.store.records() if record["status"] == "succeeded"]
    count = max(LEAST, round(SHARE * len(good)))
    chosen = sorted(good, key=lambda record: hashlib.sha256(record["id"].encode()).digest())[:count]
    done = {row["id"] for row in run.audits.read()}
    return [record for record in chosen if record["id"] not in done]


def audit(mllm: MLLM, run: EmbeddingRun) -> Iterator[int]:
    """Generate both targets of each row that is left to audit, and keep what was said. Yields 1 for each row."""
    for record in unaudited(run):
        run.audits.append([audit_record(mllm, record, run)])
        yield 1


def audit_record(mllm: MLLM, record: EmbeddingRecord, run: EmbeddingRun) -> dict[str, Any]:
    """Return what real generation from the stored embedding says to each goal, and whether it is exact."""
    goals = json.loads(record["goals"])
    embedding = load_embedding(run, record["id"])
    wanted = [mllm.answer_ids(goal["answer"])[:-1] for goal in goals]
    answers = mllm.generate([goal["prompt"] for goal in goals], [embedding] * len(goals), max(map(len, wanted)) + 4)
    return {
        "id": record["id"],
        "margin": record["margin"],
        "wanted": [goal["answer"] for goal in goals],
        "said": [mllm.detokenize(answer) for answer in answers],
        "exact": answers == wanted,
    }
