"""Blocks: one owner at a time, in the order of the rows; what is finished is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cut_blocks import WITH_HELPERS, Settled, check_store, claim, do, features, names, rows
from helpers.records import result_record
from helpers.stored import stored_ids
from sea_core.runs.block import ClaimLost
from sea_core.runs.block_folder import DONE, SETTLE, TODO
from sea_core.runs.blocks import Blocks, block_size
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker


def test_small_runs_have_small_blocks() -> None:
    assert block_size(5, 1, 64) == 64
    assert block_size(512, 2, 64) == 32
    assert block_size(5, 4, 64) == 1
    assert block_size(1_000_000, 8, 64) == 64
    assert block_size(1000, 0, 64) == 15


def test_rows_are_cut_in_their_order(cut: Blocks, worker: Worker) -> None:
    assert names(cut) == ["00000.4.todo", "00001.4.todo", "00002.2.todo"]
    assert [row["id"] for row in claim(cut, worker).rows] == ["e-000", "e-001", "e-002", "e-003"]
    assert cut.count_left() == 10


def test_only_one_worker_cuts_blocks(blocks: Blocks, worker: Worker) -> None:
    blocks.request(worker, rows(3))
    with blocks.worker().registered() as other:
        assert blocks.claim_settling(other)
        assert blocks.claim_settling(worker) is None
        assert blocks.is_settling()
    taken = blocks.claim_settling(worker)
    assert taken
    assert [row["id"] for row in taken.rows] == [row["id"] for row in rows(3)]


def test_finished_blocks_become_parts_in_the_order_of_the_rows(cut: Blocks, worker: Worker) -> None:
    store = Store(cut.run)
    while block := cut.claim(worker):
        do(block)
        block.finish()
        check_store(cut.run, len(Store(cut.run).ids()))
    assert [block.state for block in cut.all()] == [DONE] * 3
    assert cut.unfinished() == []
    store.join_blocks()
    assert names(cut) == []
    check_store(cut.run, 10)
    assert [record["id"] for record in Store(cut.run).records()] == [row["id"] for row in rows(10)]
    assert Store(cut.run).record("e-009")["shard"] == "embeddings/00002.safetensors"
    assert store.next_number() == 3


def test_many_workers_claim_each_block_once(blocks: Blocks, worker: Worker) -> None:
    blocks.request(worker, rows(200))
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows, 1)
    job.remove()

    def take(_: int) -> list[str]:
        with blocks.worker().registered() as own:
            claimed = []
            while block := blocks.claim(own, lambda each: each.state == TODO):
                claimed.append(block.folder.label)
            return claimed

    with ThreadPoolExecutor(8) as pool:
        taken = [label for found in pool.map(take, range(8)) for label in found]
    assert sorted(taken) == [f"{number:05d}" for number in range(200)]


def test_a_released_block_goes_on_where_it_was(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block, 3)
    block.release()
    again = claim(cut, worker)
    assert [row["id"] for row in again.left()] == ["e-000"]


def test_a_worker_that_is_interrupted_right_after_a_claim_gives_it_back(
    cut: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def rename(source: Path, target: Path) -> None:
        real(source, target)
        monkeypatch.setattr(os, "rename", real)
        raise KeyboardInterrupt

    with cut.registered() as other:
        claim(cut, other)
        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            cut.claim(other)
    assert not any(block.is_claimed for block in cut.all())


def test_blocks_are_deleted_only_when_none_is_left(cut: Blocks, worker: Worker) -> None:
    """A worker may finish a block between joining and deleting: what is finished then must be joined first."""
    while block := cut.claim(worker):
        do(block)
        block.finish()
    assert cut.unfinished() == []
    assert not cut.delete()
    check_store(cut.run, 10)
    Store(cut.run).join_blocks()
    assert cut.delete()
    assert not cut.folder.exists()
    check_store(cut.run, 10)


def test_blocks_that_are_discarded_leave_their_workers_nothing_to_write_to(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block, 1)
    cut.discard()
    for write in (lambda: do(block), block.finish, lambda: cut.write_settled(Settled(1), block)):
        with pytest.raises(ClaimLost):
            write()
    block.release()
    assert list(cut.run.iterdir()) == []


def test_a_block_whose_rows_are_all_done_is_finished_by_the_next_command(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block)
    block.release()
    covered = cut.tidy(worker, set())
    assert covered == {row["id"] for row in rows(4)}
    assert names(cut) == ["00000.4.done"]
    check_store(cut.run, 4)


def test_trials_of_a_search_that_is_stopped_are_kept(blocks: Blocks, worker: Worker) -> None:
    for number in range(3):
        blocks.request(worker, rows(1))
        job = blocks.claim_settling(worker)
        assert job
        assert len(blocks.open_trials(job).read()) == number
        blocks.open_trials(job).append([{"lr": 0.1, "id": f"e-{number}", "status": "succeeded", "steps": 1}])
        job.release()
        blocks.tidy(worker, set())
    assert len(JsonlLog(blocks.run / "tuning.jsonl").read()) == 3


def test_what_is_left_is_counted_again_where_a_worker_was(cut: Blocks, worker: Worker) -> None:
    assert cut.count_left() == 10
    block = claim(cut, worker)
    do(block, 2)
    assert cut.count_left() == 8
    block.release()
    assert cut.count_left() == 8
    block = claim(cut, worker)
    do(block, 1)
    assert cut.count_left() == 7
    block.release()
    assert cut.count_left() == 7


def test_a_kill_while_a_block_is_dissolved_doubles_nothing(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block, 2)
    Store(cut.run).absorb(block.store)  # and the kill comes before the block is deleted
    block.release()
    cut.tidy(worker, set())
    store = Store(cut.run)
    store.flush()
    assert stored_ids(cut.run) == ["e-002", "e-003"]


def test_no_part_of_the_run_takes_a_number_while_blocks_are_numbered(blocks: Blocks, worker: Worker) -> None:
    store = Store(blocks.run)
    store.append(result_record("e-000"), features("e-000"))
    blocks.request(worker, rows(2, first=1))
    store.flush()
    assert not store.index.exists()
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows, 2)
    job.remove()
    store.flush()
    assert [path.stem for path in store.index.iterdir()] == ["00001"]
    check_store(blocks.run, 1)


def test_the_number_of_a_block_that_is_just_joined_is_not_used_again(
    cut: Blocks, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(cut.run)
    while block := cut.claim(worker):
        do(block)
        block.finish()
    real = JsonlLog.read

    def read(log: JsonlLog[Any], **options: Any) -> list[Any]:
        found = real(log, **options)
        if log.path == store.inventory.log.path:
            monkeypatch.setattr(JsonlLog, "read", real)
            Store(cut.run).join_blocks()
        return found

    monkeypatch.setattr(JsonlLog, "read", read)
    assert store.next_number() == 3


def test_readers_see_what_is_finished_while_blocks_are_renamed(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block, 2)
    store = Store(cut.run)
    assert store.ids() == {"e-002", "e-003"}
    do(block)
    block.finish()
    assert torch.equal(store.load("e-002"), features("e-002"))  # it has moved meanwhile
    Store(cut.run).join_blocks()
    assert torch.equal(store.load("e-003"), features("e-003"))
    assert store.ids() == {row["id"] for row in rows(4)}


def test_reading_never_fails_while_another_process_works(cut: Blocks, tmp_path: Path) -> None:
    script = """
import sys, torch
from pathlib import Path
from helpers.records import result_record
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store
blocks = Blocks(Path(sys.argv[1]))
with blocks.worker().registered() as worker:
    while block := blocks.claim(worker):
        for row in block.left():
            block.add(result_record(row["id"]), torch.full((2, 3), float(row["id"][-3:])))
        block.finish()
        Store(blocks.run).join_blocks()
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(cut.run)], env=WITH_HELPERS)
    seen = 0
    while process.poll() is None:
        store = Store(cut.run)
        assert not store.damage
        assert len(store.ids()) >= seen
        seen = len(store.ids())
        for embedding_id in store.ids():
            assert torch.equal(store.load(embedding_id), features(embedding_id))
    assert process.returncode == 0
    check_store(cut.run, 10)


def test_rows_that_are_no_longer_wanted_are_not_done(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block, 1)
    block.release()
    covered = cut.tidy(worker, {"e-000", "e-003", "e-004", "e-005", "e-006", "e-007"})
    assert covered == {"e-004", "e-005", "e-006", "e-007"}
    assert names(cut) == ["00001.4.todo"]
    assert Store(cut.run).ids() == {"e-003"}


def test_what_is_no_block_is_not_taken_for_one(cut: Blocks, worker: Worker) -> None:
    for name in ("00003.4.todo2", "00003.todo", "3.4.todo", ".00003.4.todo", "00003.4.ABCDEF0123456789", "settle.todo"):
        (cut.folder / name).mkdir()
    (cut.folder / "00003.4.todo").write_text("a file")
    (cut.folder / "00004.4.todo").symlink_to(cut.folder / "00000.4.todo", target_is_directory=True)
    assert names(cut) == ["00000.4.todo", "00001.4.todo", "00002.2.todo"]
    assert SETTLE not in {block.label for block in cut.all()}
