"""Several processes that ask the held-out questions about one run: the answers are those of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN, FinishedRun
from helpers.hostile import edit_json
from sea_core.model.mllm import MLLM
from sea_core.pipeline import shared_work
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT
from sea_core.pipeline.shared_work import SharedOrder, await_order
from sea_core.runs.blocks import ORDER, Blocks
from sea_core.runs.embedding_run import EmbeddingRun

JOURNALS = ("verify.jsonl", "verdicts.jsonl")


@pytest.fixture
def run(finished: FinishedRun, tmp_path: Path) -> Path:
    """An optimised run of three examples, about which nothing was asked yet."""
    folder = finished.copy(tmp_path)
    for name in JOURNALS:
        (folder / name).unlink()
    return folder


def verdicts(run: Path) -> list[dict[str, Any]]:
    return [{**verdict, "at": ""} for verdict in EmbeddingRun(run).verdicts.read()]


def assert_same(found: Path, expected: FinishedRun) -> None:
    """Check that all answers and verdicts are those of one process, and that no work is left."""
    assert (found / "verify.jsonl").read_bytes() == (expected.run / "verify.jsonl").read_bytes()
    assert verdicts(found) == verdicts(expected.run)
    assert not list(found.glob("*verify_blocks*"))


def test_a_worker_takes_over_what_a_dead_one_has_answered(
    finished: FinishedRun, run: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = sea("verify", run, "-o", "workers=0")
    assert (result.code, result.out) == (0, "")
    assert f"6 questions are left to ask. On each computer, type: sea worker {run}" in result.err
    blocks = Blocks(run, "verify_blocks")
    with blocks.worker().registered() as dead:
        job = blocks.claim_settling(dead)
        assert job
        blocks.cut(job, job.rows, 4)
        job.remove()
        block = blocks.claim(dead)
        assert block
        EmbeddingRun(run).continued_in(block.folder.path).answers.append(EmbeddingRun(finished.run).answers.read()[:3])
    assert blocks.count_left() == 3
    asked: list[str] = []
    generate = MLLM.generate

    def counted(model: MLLM, questions: list[str], *rest: Any) -> Any:
        asked.extend(questions)
        return generate(model, questions, *rest)

    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    monkeypatch.setattr(MLLM, "generate", counted)
    result = sea("worker", run)
    assert result.code == 0, result.err
    assert "VSR" in result.out
    assert len(asked) == 3
    assert_same(run, finished)


def test_launched_workers_answer_as_one_process(finished: FinishedRun, run: Path, tmp_path: Path) -> None:
    order = run / "blocks" / "order.json"  # of a `sea optimize` that was stopped: not for workers of `sea verify`
    order.parent.mkdir()
    order.write_text("{}", encoding="utf-8")
    edit_json(run / "run.json", lambda manifest: manifest["metadata"]["model"].update(checkpoint="nobody/model"))
    own = ModelTarget.find(PLUGIN).checkpoint
    result = sea("verify", run, "--model", own, "-o", "workers=2")
    assert result.code in (0, 1), result.err
    assert_same(run, finished)
    assert order.read_text(encoding="utf-8") == "{}"


def test_a_worker_waits_while_a_command_takes_the_blocks_back(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, order = EmbeddingRun(run), SharedOrder("digest", {}, 6, 0)
    blocks = Blocks(run, "verify_blocks")
    assert await_order(blocks, SILENT) is None
    with opened.writing(), blocks.registered() as worker:
        monkeypatch.setattr(shared_work, "WAIT_SECONDS", 0)
        monkeypatch.setattr(shared_work.time, "sleep", lambda _: blocks.write(ORDER, order, worker))
        assert await_order(blocks, SILENT) == order


def test_a_command_collects_what_workers_have_left(
    finished: FinishedRun, run: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea("verify", run, "-o", "workers=0")
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    assert sea("verify", run).code in (0, 1)
    assert_same(run, finished)


def test_workers_of_a_changed_run_are_refused(run: Path) -> None:
    sea("verify", run, "-o", "workers=0")
    edit_json(run / "run.json", lambda manifest: manifest["identity"]["model"].update(fingerprint="sha256:00"))
    assert "the run was made with another model" in expect_error("worker", run)
