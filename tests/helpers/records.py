"""Records for the stores that tests fill."""

from __future__ import annotations

from typing import Any

from sea_core.runs.embedding_record import ResultRecord
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.records import Label


def result_record(embedding_id: str, **changes: Any) -> ResultRecord:
    """Return a complete record of a successful embedding, with some of its keys changed."""
    record: ResultRecord = {
        "id": embedding_id,
        "example_id": embedding_id,
        "source": "text",
        "media": "",
        "recipe": "plain",
        "draw": 0,
        "start": "",
        "line": None,
        "instruction": "",
        "response": None,
        "chosen": None,
        "rejected": None,
        "harmful": True,
        "phrase": "",
        "kind": "activity",
        "sentence": "",
        "detoxified": "",
        "style": "",
        "goals": "[]",
        "status": "succeeded",
        "reason": "",
        "steps": 1,
        "loss": 0.0,
        "margin": 0.0,
        "seconds": 0.0,
        "grid": "[]",
    }
    return {**record, **changes}  # type: ignore[typeddict-item]


def add_answer(run: EmbeddingRun, embedding_id: str, question: str, kind: str = "activity", **verdicts: Label) -> None:
    """Store an empty answer to a held-out question, with verdicts by judge."""
    key = {"id": embedding_id, "question": question, "answer": ""}
    digest = run.store.record(embedding_id)["sha256"]
    run.answers.append([{**key, "embedding": digest, "content": "", "kind": kind}])  # type: ignore[typeddict-item]
    for judge, verdict in verdicts.items():
        rest = {"prompt_sha": "", "refused": None, "detail": "", "raw": "", "tokens_in": None, "tokens_out": None}
        record = {**key, **rest, "judge": judge, "verdict": verdict, "at": ""}
        run.verdicts.append([record])  # type: ignore[list-item]
