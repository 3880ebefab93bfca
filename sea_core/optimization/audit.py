"""Audit: real greedy generation from about 1 % of a run's successful embeddings, to confirm their target answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from sea_core.model.embedding import Embedding, load_embedding
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_record import EmbeddingRecord, read_goals
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.records import AuditRecord

AUDIT_RATIO, MIN_AUDITS = 0.01, 3


def sample_limit(ids: Iterable[str]) -> str:
    """Return the largest digest of an id whose embedding is audited, if the embeddings with these ids succeed."""
    digests = sorted(map(_digest, ids))
    count = max(MIN_AUDITS, round(AUDIT_RATIO * len(digests)))
    return max(digests[:count], default="")


def is_in_sample(embedding_id: str, limit: str) -> bool:
    """Return whether an embedding is audited: which ones follows from the digests of their ids."""
    return _digest(embedding_id) <= limit


def _digest(embedding_id: str) -> str:
    return hashlib.sha256(embedding_id.encode()).hexdigest()


def unaudited(run: EmbeddingRun) -> list[EmbeddingRecord]:
    """Return the successes that are still to be audited."""
    succeeded = [record for record in run.store.records() if record["status"] == "succeeded"]
    limit = sample_limit(record["id"] for record in succeeded)
    done = {audit["id"] for audit in run.current_audits()}
    return [record for record in succeeded if record["id"] not in done and is_in_sample(record["id"], limit)]


def audit(mllm: MLLM, run: EmbeddingRun) -> Iterator[int]:
    """Audit what is still to be audited and store the records. Yields 1 for each."""
    for record in unaudited(run):
        run.audits.append([audit_embedding(mllm, record, load_embedding(run, record["id"]))])
        yield 1


def audit_embedding(mllm: MLLM, record: EmbeddingRecord, embedding: Embedding) -> AuditRecord:
    """Generate an answer to each goal from a stored embedding, and compare it with the target answer."""
    goals = read_goals(record)
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
