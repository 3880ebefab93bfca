"""Blocks of ten rows, and what their workers do."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from helpers.records import result_record
from helpers.stored import stored_ids
from sea_core.runs.block import Block, BlockRow
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker

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


def claim(blocks: Blocks, worker: Worker) -> Block:
    found = blocks.claim(worker)
    assert found
    return found


@dataclass(frozen=True)
class Settled:
    """What was settled on."""

    value: int
