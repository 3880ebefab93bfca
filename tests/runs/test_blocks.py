"""Blocks: one owner at a time, whoever is killed when, and what is finished is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.records import result_record
from helpers.stored import stored_ids
from sea_core.errors import RunError
from sea_core.runs import blocks as module
from sea_core.runs.block import Block, BlockRow, ClaimLost
from sea_core.runs.block_folder import DONE, SETTLE, TODO
from sea_core.runs.blocks import Blocks, block_size
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.store import Store
from sea_core.runs.workers import STALE_SECONDS, Worker

WITH_HELPERS = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}


def rows(count: int, first: int = 0) -> list[BlockRow]:
    return [{"id": f"e-{number:03d}", "value": {"number": number}} for number in range(first, first + count)]


def features(embedding_id: str) -> torch.Tensor:
    return torch.full((2, 3), float(embedding_id[-3:]))


def do(block: Block, count: int | None = None) -> None:
    """Do the rows of a block that are left, or so many of them, in reverse order."""
    for row in block.left()[::-1][:count]:
        block.add(result_record(row["id"]), features(row["id"]))


def check_store(folder: Path, count: int) -> None:
    """Check that a run has exactly the results of `do`, each once."""
    store = Store(folder)
    assert store.ids() == {row["id"] for row in rows(count)}
    assert stored_ids(folder) == sorted(store.ids())
    for row in rows(count):
        assert torch.equal(store.load(row["id"]), features(row["id"]))
    assert not store.find_damage()


def names(blocks: Blocks) -> list[str]:
    return [block.path.name for block in blocks.all()]


@pytest.fixture
def blocks(tmp_path: Path) -> Blocks:
    return Blocks(tmp_path)


@pytest.fixture
def worker(blocks: Blocks) -> Iterator[Worker]:
    with blocks.worker().registered() as worker:
        yield worker


@pytest.fixture
def cut(blocks: Blocks, worker: Worker) -> Blocks:
    """Ten rows in blocks of four."""
    blocks.request(worker, rows(10))
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows, 4)
    job.remove()
    return blocks


def claim(blocks: Blocks, worker: Worker) -> Block:
    found = blocks.claim(worker)
    assert found
    return found


@pytest.fixture
def dead(cut: Blocks) -> Block:
    """The first block, claimed by a worker that is dead by now; one of its rows is done."""
    with cut.worker().registered() as other:
        block = claim(cut, other)
        do(block, 1)
    return block


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


def test_a_dead_workers_block_is_taken_over_with_what_is_finished(cut: Blocks, worker: Worker, dead: Block) -> None:
    assert dead.folder.is_claimed
    taken = [claim(cut, worker) for _ in range(3)]
    assert cut.claim(worker) is None
    (again,) = [block for block in taken if block.folder.label == dead.folder.label]
    assert len(again.left()) == 3
    assert cut.count_left() == 9
    for block in taken:
        do(block)
        block.finish()
    Store(cut.run).join_blocks()
    check_store(cut.run, 10)


def test_a_worker_that_wakes_up_harms_nothing(cut: Blocks, worker: Worker, dead: Block) -> None:
    taken = [claim(cut, worker) for _ in range(3)]
    (again,) = [block for block in taken if block.folder.label == dead.folder.label]
    do(again, 2)
    with pytest.raises(ClaimLost):
        do(dead)
    with pytest.raises(ClaimLost):
        dead.finish()
    dead.release()
    do(again)
    again.finish()
    with pytest.raises(ClaimLost):
        do(dead)
    assert not dead.folder.path.exists()
    assert len(cut.all()) == 3
    Store(cut.run).join_blocks()
    check_store(cut.run, 4)


def test_a_worker_that_wakes_up_while_it_cuts_cuts_nothing_twice(blocks: Blocks, worker: Worker) -> None:
    blocks.request(worker, rows(4))
    with blocks.worker().registered() as other:
        late = blocks.claim_settling(other)
        assert late
        blocks.cut(late, late.rows[:2], 2)
    job = blocks.claim_settling(worker)
    assert job
    assert blocks.ids() == {"e-000", "e-001"}
    with pytest.raises(ClaimLost):
        blocks.cut(late, late.rows[2:], 2)
    blocks.cut(job, job.rows[2:], 2)
    job.remove()
    with pytest.raises(ClaimLost):
        late.remove()
    assert names(blocks) == ["00000.2.todo", "00001.2.todo"]


def test_a_worker_of_another_computer_is_waited_for_until_its_file_is_old(cut: Blocks, worker: Worker) -> None:
    with cut.worker().registered() as other:
        block = claim(cut, other)
        text = other.path.read_text().replace('"place": "', '"place": "elsewhere:')
        others = [claim(cut, worker) for _ in range(2)]
    other.path.write_text(text)
    assert cut.claim(worker) is None
    os.utime(other.path, (1, worker.now() - STALE_SECONDS - 1))
    assert claim(cut, worker).folder.label == block.folder.label not in [each.folder.label for each in others]


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


@dataclass(frozen=True)
class Settled:
    """What was settled on."""

    value: int


def test_a_worker_that_wakes_up_while_it_settles_changes_nothing(blocks: Blocks, worker: Worker) -> None:
    blocks.request(worker, rows(4))
    with blocks.worker().registered() as other:
        late = blocks.claim_settling(other)
        assert late
        blocks.write_settled(Settled(1), late)
    job = blocks.claim_settling(worker)
    assert job
    blocks.write_settled(Settled(2), job)
    with pytest.raises(ClaimLost):
        blocks.write_settled(Settled(3), late)
    assert blocks.read("settled.json", Settled) == Settled(2)
    assert names(blocks) == [job.folder.path.name]


def test_a_block_whose_rows_are_all_done_is_finished_by_the_next_command(cut: Blocks, worker: Worker) -> None:
    block = claim(cut, worker)
    do(block)
    block.release()
    covered = cut.tidy(worker, set())
    assert covered == {row["id"] for row in rows(4)}
    assert names(cut) == ["00000.4.done"]
    check_store(cut.run, 4)


def test_deaths_on_a_block_and_on_a_row_that_is_made_alone_are_counted(cut: Blocks, worker: Worker) -> None:
    for number in range(3):
        with cut.worker().registered() as other:
            block = claim(cut, other)
            assert block.folder.label == "00000"
            assert (block.deaths(), block.deaths("e-000")) == (number, max(0, number - 1))
            if number:
                block.begin_alone("e-000", other)
        assert cut.tidy(worker, {row["id"] for row in rows(10)}) == {row["id"] for row in rows(10)}
    block = claim(cut, worker)
    assert (block.deaths(), block.deaths("e-000"), block.deaths("e-001")) == (3, 2, 0)
    block.release()
    assert claim(cut, worker).deaths() == 3  # a worker that is stopped has not died


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


# --- damage and other folders -------------------------------------------------------------------------------------


def test_a_damaged_result_in_a_block_is_made_again(cut: Blocks, worker: Worker, dead: Block) -> None:
    (single,) = dead.folder.path.glob("pending/*")
    single.write_bytes(single.read_bytes()[:-9])
    assert [damage.path for damage in Store(cut.run).damage] == [single.relative_to(cut.run).as_posix()]
    while block := cut.claim(worker):
        do(block)
        block.finish()
    assert list((cut.run / "damaged").rglob("*.safetensors"))
    Store(cut.run).join_blocks()
    check_store(cut.run, 10)


@pytest.mark.parametrize("part", ["index/00000.parquet", "embeddings/00000.safetensors", "inventory.jsonl"])
def test_a_finished_block_that_is_damaged_is_completed_again(cut: Blocks, worker: Worker, part: str) -> None:
    block = claim(cut, worker)
    do(block)
    block.finish()
    (done,) = [each for each in cut.all() if each.is_done]
    (done.path / part).write_bytes((done.path / part).read_bytes()[:-9])
    Store(cut.run).join_blocks()
    assert not any(each.is_done for each in cut.all())
    while block_again := cut.claim(worker):
        do(block_again)
        block_again.finish()
    store = Store(cut.run)
    store.join_blocks()
    store.put_aside_damage()
    check_store(cut.run, 10)


@pytest.mark.parametrize("damage", ["{}\n", "", "{\n"])
def test_damaged_rows_are_refused_and_cut_again(cut: Blocks, worker: Worker, damage: str) -> None:
    block = claim(cut, worker)
    do(block, 1)
    block.release()
    rows_file = block.folder.named(TODO).path / module.ROWS
    rows_file.write_text(damage)
    with pytest.raises(RunError) as caught:
        _ = claim(cut, worker).rows
    assert "cuts the blocks anew" in caught.value.hint
    other = cut.worker()
    with other.registered():
        for each in cut.all():
            if each.is_claimed:
                Block(each).release()
        covered = cut.tidy(other, {row["id"] for row in rows(10)})
    assert covered == {row["id"] for row in rows(6, first=4)}
    assert Store(cut.run).ids() == {"e-003"}


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


STEP = 5
"""Every how many operations a kill comes."""
KILLED = (
    f"STEP = {STEP}\n"
    + """
import os, psutil, signal, sys
from pathlib import Path
import pyarrow.parquet, safetensors.torch, torch
from helpers.records import result_record
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store

def deadly(real, left):
    def call(*args, **kwargs):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*args, **kwargs)
    return call

def work(folder):
    blocks = Blocks(folder)
    ids = [f"e-{number:03d}" for number in range(5)]
    with blocks.registered() as worker:
        store = Store(folder)
        store.join_blocks()
        covered = blocks.tidy(worker, set(ids))
        left = [{"id": i, "value": {}} for i in ids if i not in covered | Store(folder).ids()]
        if left:
            blocks.request(worker, left)
        while job := blocks.claim_settling(worker):
            known = blocks.ids() | Store(folder).ids()
            blocks.cut(job, [row for row in job.rows if row["id"] not in known], 2)
            job.remove()
        while block := blocks.claim(worker):
            for row in block.left():
                block.add(result_record(row["id"]), torch.full((2, 3), float(row["id"][-3:])))
            block.finish()
            store = Store(folder)
            store.join_blocks()
    while not blocks.delete():
        Store(folder).join_blocks()
    Store(folder).flush()

os.fsync = lambda handle: None  # a kill is no loss of power
root, calls = Path(sys.argv[1]), 0
pyarrow.Table.from_pylist([{"warm": 1}])
while True:
    folder = root / str(calls)
    folder.mkdir()
    child = os.fork()
    if child == 0:
        left = [calls]
        for name in ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir"):
            setattr(os, name, deadly(getattr(os, name), left))
        work(folder)
        os._exit(0)
    code = os.waitpid(child, 0)[1]
    if os.fork() == 0:
        work(folder)
        os._exit(0)
    assert os.wait()[1] == 0, calls
    if code == 0:
        break
    calls += STEP
print(calls)
"""
)


def test_a_kill_at_any_moment_loses_no_row_and_does_none_twice(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=WITH_HELPERS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
    expected: Any = None
    for folder in tmp_path.iterdir():
        check_store(folder, 5)
        found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        assert found == (expected := expected or found)
        assert not any("blocks" in name for name in found)
