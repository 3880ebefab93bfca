"""Spot checks: what is generated from stored embeddings, and what is told when it is not what was counted."""

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
    chosen = [record["id"] for record in unaudited(run)]
    assert len(chosen) == 3
    with run.writing():
        assert sum(audit(mllm, run)) == 3
    assert unaudited(run) == []
    figures = run_metrics(EmbeddingRun(run.folder))
    assert (figures["audited"], figures["audit_exact"]) == (3, 3)
    for row in run.audits.read():
        assert (
            row["answers"]
            == row["targets"]
            == [goal["answer"] for goal in json.loads(run.store.record(row["id"])["goals"])]
        )


def test_an_audit_that_fails_is_told(demo_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = demo_run.run
    record = next(r for r in run.store.records() if r["status"] == "succeeded")
    kept = run.audits.path.read_bytes() if run.audits.path.exists() else None
    run.audits.append([{"id": record["id"], "margin": 0.6, "targets": ["A."], "answers": ["B."], "exact": False}])
    report(run, as_json=False)
    told = capsys.readouterr()
    run.audits.path.write_bytes(kept or b"")
    assert f"audit: {record['id']} was counted as succeeded, but generates ['B.']" in told.err
    assert "generate both target answers" in told.out
