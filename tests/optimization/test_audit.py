"""The audit: real generation from stored embeddings, and the warning if it contradicts a success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sea_core.cli.run_report import report
from sea_core.model.mllm import MLLM
from sea_core.optimization.audit import audit, unaudited
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.metrics import run_metrics


def test_a_few_successes_are_audited_once(mllm: MLLM, demo_run: Any) -> None:
    run = demo_run.run
    assert len(unaudited(run)) == 3
    with run.writing():
        assert sum(audit(mllm, run)) == 3
    assert unaudited(run) == []
    metrics = run_metrics(EmbeddingRun(run.folder))
    assert (metrics["audited"], metrics["audit_exact"]) == (3, 3)
    for record in run.audits.read():
        goals = json.loads(run.store.record(record["id"])["goals"])
        assert record["answers"] == record["targets"] == [goal["answer"] for goal in goals]


def test_a_failed_audit_is_reported(demo_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = demo_run.run
    record = next(r for r in run.store.records() if r["status"] == "succeeded")
    before = run.audits.path.read_bytes() if run.audits.path.exists() else None
    audited = {"id": record["id"], "embedding": record["sha256"], "margin": 0.6}
    run.audits.append([{**audited, "targets": ["A."], "answers": ["B."], "exact": False}])
    report(run, as_json=False)
    printed = capsys.readouterr()
    run.audits.path.write_bytes(before or b"")
    assert f"audit: {record['id']} was counted as succeeded, but generates ['B.']" in printed.err
    assert "generate both target answers" in printed.out
