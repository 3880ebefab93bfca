"""Blocks whose results are lines of journals: joined in their order, each line once, whoever dies when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.manifests import embedding_manifest
from sea_core.runs.block import Block, BlockRow, ClaimLost
from sea_core.runs.block_folder import TODO
from sea_core.runs.blocks import SETTLED
from sea_core.runs.embedding_run import EmbeddingRun, ResolvedSettings
from sea_core.runs.journal_blocks import JournalBlocks
from sea_core.runs.workers import Worker


def rows(count: int) -> list[BlockRow]:
    return [{"id": f"e-{number}", "value": {}} for number in range(count)]


@pytest.fixture
def run(tmp_path: Path) -> EmbeddingRun:
    return EmbeddingRun.start(tmp_path / "run", embedding_manifest(6))


@pytest.fixture
def blocks(run: EmbeddingRun) -> JournalBlocks:
    return JournalBlocks(run, "verify_blocks")


@pytest.fixture
def worker(blocks: JournalBlocks) -> Iterator[Worker]:
    with blocks.worker().registered() as worker:
        yield worker


@pytest.fixture
def cut(blocks: JournalBlocks, worker: Worker) -> JournalBlocks:
    """Six rows in three blocks."""
    blocks.request(worker, rows(6))
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows, 2)
    job.remove()
    return blocks


def claim(blocks: JournalBlocks, worker: Worker) -> Block:
    block = blocks.claim(worker)
    assert block
    return block


def do(run: EmbeddingRun, block: Block, count: int = 2) -> None:
    """Answer so many rows of a block."""
    inner = run.continued_in(block.folder.path)
    answered = {answer["id"] for answer in inner.answers.read()}
    for row in [row for row in block.rows if row["id"] not in answered][:count]:
        with block.writing():
            answer = {"embedding": "", "question": "?", "answer": "a", "content": "c", "kind": "activity"}
            inner.answers.append([{"id": row["id"], **answer}])  # type: ignore[typeddict-item]


def answered(run: EmbeddingRun) -> list[str]:
    """Return the ids of the lines in the run's own journal, doubled ones too."""
    lines = run.answers.path.read_text(encoding="utf-8").splitlines() if run.answers.path.exists() else []
    assert len(lines) == len(run.answers.read())
    return [answer["id"] for answer in run.answers.read()]


def test_blocks_are_joined_in_their_order(run: EmbeddingRun, cut: JournalBlocks, worker: Worker) -> None:
    first, second, third = (claim(cut, worker) for _ in range(3))
    for block in (third, second):
        do(run, block)
        block.finish()
    cut.join()
    assert answered(run) == []
    do(run, first, 1)
    assert cut.count_left() == 1
    do(run, first, 1)
    first.finish()
    cut.join()
    assert answered(run) == [row["id"] for row in rows(6)]
    assert cut.delete()


def test_what_a_block_continues_reads_the_run_and_writes_to_the_block_only(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker
) -> None:
    blocks = [claim(cut, worker) for _ in range(2)]
    for block in blocks:
        do(run, block)
    blocks[0].finish()
    cut.join()
    inner = run.continued_in(blocks[1].folder.path)
    assert [answer["id"] for answer in inner.answers.read()] == ["e-0", "e-1", "e-2", "e-3"]
    assert answered(run) == ["e-0", "e-1"]


def test_a_kill_while_a_block_is_joined_neither_loses_nor_doubles_a_line(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        block = claim(cut, worker)
        do(run, block)
        block.finish()
    for killed_before in ("sea_core.runs.jsonl.JsonlLog.append", "sea_core.runs.journal_blocks.shutil.rmtree"):
        monkeypatch.setattr(killed_before, _interrupt)
        with pytest.raises(KeyboardInterrupt):
            cut.join()
        monkeypatch.undo()
    cut.join()
    assert answered(run) == [row["id"] for row in rows(6)]


def test_a_kill_while_blocks_are_collected_neither_loses_nor_doubles_a_line(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (2, 1):
        do(run, claim(cut, worker), count)
    monkeypatch.setattr("sea_core.runs.journal_blocks.shutil.rmtree", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        cut.collect()
    monkeypatch.undo()
    cut.collect()
    assert answered(run) == ["e-0", "e-1", "e-2"]
    assert not cut.folder.exists()


def test_what_workers_have_settled_is_kept_when_their_blocks_are_collected(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker
) -> None:
    found: list[ResolvedSettings | None] = []
    block = claim(cut, worker)
    cut.write_settled(ResolvedSettings(lr=0.5), block)
    do(run, block)
    cut.folder.replace(cut.collected)  # as a kill leaves it
    cut.collect(lambda taken: found.append(taken.read(SETTLED, ResolvedSettings)))
    assert found == [ResolvedSettings(lr=0.5)]
    assert answered(run) == ["e-0", "e-1"]


def test_a_run_is_replaced_only_while_no_block_has_results(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = claim(cut, worker)
    assert not cut.has_results_to_join()
    do(run, block)
    assert cut.has_results_to_join()
    block.finish()
    monkeypatch.setattr("sea_core.runs.jsonl.JsonlLog.append", _interrupt)
    for killed in (cut.join, cut.collect):
        with pytest.raises(KeyboardInterrupt):
            killed()
        assert cut.has_results_to_join()
    monkeypatch.undo()
    cut.collect()
    assert not cut.has_results_to_join()


def test_embeddings_that_a_killed_command_has_collected_are_never_replaced(tmp_path: Path) -> None:
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(6))
    pending = run.blocks.collected / "00000.6.todo" / "pending"
    pending.mkdir(parents=True)
    assert run.can_be_replaced()
    (pending / "e-0.safetensors").write_bytes(b"")
    assert not run.can_be_replaced()


def test_what_a_killed_command_has_collected_is_discarded_with_the_run(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker
) -> None:
    do(run, claim(cut, worker))
    cut.folder.replace(cut.collected)  # as a kill leaves it
    cut.discard()
    cut.collect()
    assert answered(run) == []


def test_a_worker_whose_blocks_were_collected_writes_nothing_more(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker
) -> None:
    block = claim(cut, worker)
    do(run, block, 1)
    cut.collect()
    with pytest.raises(ClaimLost):
        do(run, block, 1)
    with pytest.raises(ClaimLost):
        block.finish()
    assert answered(run) == ["e-0"]


def test_a_damaged_line_in_a_finished_block_is_made_again(
    run: EmbeddingRun, cut: JournalBlocks, worker: Worker
) -> None:
    block = claim(cut, worker)
    do(run, block)
    block.finish()
    (journal,) = cut.folder.glob("*.done/verify.jsonl")
    journal.write_text(journal.read_text(encoding="utf-8").replace('"a"', '"b"', 1), encoding="utf-8")
    (damage,) = cut.find_damage()
    assert damage.path.endswith("verify.jsonl:1")
    cut.join()
    assert answered(run) == []
    assert cut.all()[0].state == TODO
    block = claim(cut, worker)
    cut.put_aside_damage_in(block)
    do(run, block)
    block.finish()
    cut.join()
    assert sorted(answered(run)) == ["e-0", "e-1"]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
