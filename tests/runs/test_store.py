"""The store: what was appended is on disk, bit for bit, and can be read while it is written."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from helpers.filled_store import PART, check, embedding, fill, listing, record, shards
from sea_core.errors import RunError
from sea_core.runs import store as module
from sea_core.runs.store import Store

DTYPES = [torch.float32, torch.bfloat16, torch.float16]


def same_bits(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bool((bits(a) == bits(b)).all())


def bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view({2: torch.int16, 4: torch.int32}[tensor.element_size()])


def test_new_store_is_empty(tmp_path: Path) -> None:
    assert Store(tmp_path).records() == []
    assert listing(tmp_path) == []


def test_a_result_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    check(Store(tmp_path), 6)


def test_records_of_an_earlier_version_have_no_start(tmp_path: Path) -> None:
    old = {key: value for key, value in record("old").items() if key != "start"}
    for name, is_flushed in (("single", False), ("part", True)):
        store = Store(tmp_path / name)
        store.append(old, embedding(0))  # type: ignore[arg-type]
        if is_flushed:
            store.flush()
        store = Store(tmp_path / name)
        store.append({**record("new"), "start": "a1"}, embedding(1))  # type: ignore[typeddict-item]
        store.flush()
        found = Store(tmp_path / name)
        assert not found.damage
        assert {each["id"]: each["start"] for each in found.records()} == {"old": "", "new": "a1"}


def test_a_flush_makes_one_shard_and_an_index_and_deletes_the_single_files(tmp_path: Path) -> None:
    store = fill(tmp_path, 6)
    store.flush()
    check(store, 6)
    check(Store(tmp_path), 6)
    assert listing(tmp_path) == PART
    store.flush()  # nothing new
    assert len(shards(tmp_path)) == 1


def test_many_results_make_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_SIZE", 7)
    fill(tmp_path, 24)
    assert len(shards(tmp_path)) == 3
    assert len(listing(tmp_path / "pending")) == 3
    check(Store(tmp_path), 24)
    fill(tmp_path, 4, first=24)
    assert len(shards(tmp_path)) == 4
    check(Store(tmp_path), 28)


def test_shards_have_the_documented_size(tmp_path: Path) -> None:
    fill(tmp_path, module.SHARD_SIZE - 1)
    assert not shards(tmp_path)
    fill(tmp_path, 2, first=module.SHARD_SIZE - 1)
    assert len(shards(tmp_path)) == 1
    check(Store(tmp_path), module.SHARD_SIZE + 1)


def test_failed_results_alone_make_no_shard(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(record("a", "failed") | {"loss": float("nan")}, None)
    store.flush()
    store.append(record("b"), embedding(1))
    store.flush()
    again = Store(tmp_path)
    assert [r["id"] for r in again.records()] == ["a", "b"]
    assert math.isnan(again.record("a")["loss"])
    assert torch.equal(again.load("b"), embedding(1))
    with pytest.raises(RunError, match="'a' has no embedding: failed, not reached"):
        again.load("a")


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 17)),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**31),
    transposed=st.booleans(),
)
def test_embeddings_come_back_bit_for_bit(
    shape: tuple[int, int], dtype: torch.dtype, seed: int, transposed: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randint(0, 256, (shape[0], shape[1] * dtype.itemsize), generator=generator, dtype=torch.uint8)
    given = raw.view(dtype)  # any bits: NaN with payloads, infinities, minus zero
    given = given.t() if transposed else given
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder)
        store.append(record("a"), given)
        assert same_bits(store.load("a"), given)
        assert same_bits(Store(folder).load("a"), given)
        store.flush()
        assert same_bits(store.load("a"), given)
        assert same_bits(Store(folder).load("a"), given)
        found = Store(folder).record("a")
        assert (found["n_features"], found["d_encoder"]) == tuple(given.shape)
        assert f"torch.{found['dtype']}" == str(dtype)


ODD = ["a b", "a/b", "../up", "/", ".", "ünï😀", "\"'`", "tab\tline\n", "nul\0", "%s{x}[red]", "x" * 5000]


RESERVED = ["__metadata__", "___metadata__", "_", "__"]


def test_ids_may_contain_any_character(tmp_path: Path) -> None:
    store = Store(tmp_path / "run")
    for number, embedding_id in enumerate(ODD + RESERVED):
        store.append(record(embedding_id), embedding(number))
    store.flush()
    again = Store(tmp_path / "run")
    assert again.ids() == {*ODD, *RESERVED}
    for number, embedding_id in enumerate(ODD + RESERVED):
        assert torch.equal(again.load(embedding_id), embedding(number))
    assert listing(tmp_path) == ["run", *(f"run/{name}" for name in PART)]


def test_unknown_id_says_how_to_list_them(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="this run has no embedding 'b'") as caught:
        fill(tmp_path, 1).load("b")
    assert "sea show" in caught.value.hint


def test_opening_finds_missing_shards_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_SIZE", 7)
    fill(tmp_path, 24)
    for shard in shards(tmp_path):
        shard.unlink()
    before = listing(tmp_path)
    opened = Store(tmp_path)
    assert [damage.problem for damage in opened.damage] == ["is missing"] * 3
    assert listing(tmp_path) == before


def test_a_run_can_be_read_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = fill(tmp_path, 6)
    real = Path.unlink

    def read_first(path: Path, missing_ok: bool = False) -> None:
        check(Store(tmp_path), 6)
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", read_first)  # at each moment of a flush at which a file disappears
    writer.flush()
    assert listing(tmp_path / "pending") == []
    check(writer, 6)


def test_a_run_can_be_moved(tmp_path: Path) -> None:
    fill(tmp_path / "a", 3).flush()
    fill(tmp_path / "a", 3, first=3)
    shutil.move(tmp_path / "a", tmp_path / "b")
    check(Store(tmp_path / "b"), 6)


def test_an_inventory_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    store = fill(tmp_path / "run", 3)
    store.flush()
    outside = tmp_path / "outside.parquet"
    outside.write_text("precious")
    store.inventory.log.append([{"path": "index/../../outside.parquet", "size": 1, "sha256": "0"}])
    with pytest.raises(RunError, match="names a file outside its folder"):
        Store(tmp_path / "run").put_aside_damage()
    assert outside.read_text() == "precious"


def test_a_result_that_is_moved_while_it_is_read_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """safetensors opens a file twice; a writer merges it between."""
    fill(tmp_path, 2)
    first, open_again = min((tmp_path / "pending").iterdir()), torch.UntypedStorage.from_file

    def moved(path: str, *rest: Any, **options: Any) -> Any:
        if Path(path) == first:
            first.unlink(missing_ok=True)
        return open_again(path, *rest, **options)

    monkeypatch.setattr(torch.UntypedStorage, "from_file", moved)
    assert Store(tmp_path).damage == []
