"""Blocks of workers that have died, or were taken for dead: what is finished is kept, once."""

from __future__ import annotations

import os

import pytest

from helpers.cut_blocks import Settled, check_store, claim, do, names, rows
from sea_core.runs.block import Block, ClaimLost
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store
from sea_core.runs.workers import STALE_SECONDS, Worker


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
