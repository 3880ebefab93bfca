"""Audit: real greedy generation from about 1 % of a run's successful embeddings, to confirm their target answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_record import EmbeddingRecord, read_goals
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.records import AuditRecord

AUDIT_RATIO, MIN_AUDITS = 0.01, 3


def unaudited(run: EmbeddingRun) -> list[EmbeddingRecord]:
    """Return the successes that are still to be audited. Which ones follows from the digests of their ids."""
    succeeded = [record for record in run.store.records() if record["status"] == "succeeded"]
    count = max(MIN_AUDITS, round(AUDIT_RATIO * len(succeeded)))
    sample = sorted(succeeded, key=lambda record: hashlib.sha256(record["id"].encode()).digest())[:count]
    done = {audit["id"] for audit in run.current_audits()}
    return [record for record in sample if record["id"] not in done]


def audit(mllm: MLLM, run: EmbeddingRun) -> Iterator[int]:
    """Audit what is still to be audited and store the records. Yields 1 for each."""
    for record in unaudited(run):
        run.audits.append([audit_embedding(mllm, record, run)])
        yield 1


def audit_embedding(mllm: MLLM, record: EmbeddingRecord, run: EmbeddingRun) -> AuditRecord:
    """Generate an answer to each goal from a stored embedding, and compare it with the target answer."""
    goals = read_goals(record)
    embedding = load_embedding(run, record["id"])
    targets = [mllm.answer_ids(goal["answer"])[:-1] for goal in goals]
    answers = mllm.generate([goal["prompt"] for goal in goals], [embedding] * len(goals), max(map(len, targets)) + 4)
    return {
        "id": record["id"],
        "embedding": record["sha256"],
        "margin": record["margin"],
        "targets": [goal["answer"] for goal in goals],
        "answers": [mllm.detokenize(answer) for answer in answers],
        "exact": answers == targets,
    }
