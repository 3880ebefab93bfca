"""A store with known records and embeddings, and what is to be in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from helpers.records import result_record
from sea_core.runs.store import Store

PART = ["embeddings", "embeddings/00000.safetensors", "index", "index/00000.parquet", "inventory.jsonl", "pending"]

"""The files of a run with one part."""


WITH_HELPERS = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}

"""For scripts that make records as the tests do."""


def record(embedding_id: str, status: str = "succeeded") -> dict[str, Any]:
    return {**result_record(embedding_id, status=status, reason="" if status == "succeeded" else "not reached")}


def embedding(number: int) -> Tensor:
    return torch.full((3, 5), float(number), dtype=torch.bfloat16)


def fill(folder: Path, count: int, first: int = 0) -> Store:
    """Append the records e-000, e-001, ...; every fifth has failed."""
    store = Store(folder)
    for number in range(first, first + count):
        if number % 5 == 4:
            store.append(record(f"e-{number:03d}", "failed"), None)
        else:
            store.append(record(f"e-{number:03d}"), embedding(number))
    return store


def check(store: Store, count: int) -> None:
    """Check that the store has exactly the records of `fill`, each once, in order, with its embedding."""
    assert [r["id"] for r in store.records()] == [f"e-{number:03d}" for number in range(count)]
    for number, found in enumerate(store.records()):
        if found["status"] == "succeeded":
            assert torch.equal(store.load(found["id"]), embedding(number))
            assert (found["n_features"], found["d_encoder"], found["dtype"]) == (3, 5, "bfloat16")
        else:
            assert (found["n_features"], found["sha256"], found["shard"]) == (0, "", "")


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "embeddings").glob("*.safetensors"))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)
