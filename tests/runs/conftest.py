"""Blocks that are cut, and a worker on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.cut_blocks import claim, do, rows
from sea_core.runs.block import Block
from sea_core.runs.blocks import Blocks
from sea_core.runs.workers import Worker


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


@pytest.fixture
def dead(cut: Blocks) -> Block:
    """The first block, claimed by a worker that is dead by now; one of its rows is done."""
    with cut.worker().registered() as other:
        block = claim(cut, other)
        do(block, 1)
    return block
