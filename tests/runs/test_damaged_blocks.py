"""Blocks with damaged files: what is intact is kept, and the rest is made again."""

from __future__ import annotations

import pytest

from helpers.cut_blocks import check_store, claim, do, rows
from sea_core.errors import RunError
from sea_core.runs import blocks as module
from sea_core.runs.block import Block
from sea_core.runs.block_folder import TODO
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker


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
