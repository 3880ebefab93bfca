"""The store: what was appended is on disk, through kills, damage and full disks, bit for bit."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sea_core.errors import RunError
from sea_core.runs import store as module
from sea_core.runs.store import Store

DTYPES = [torch.float32, torch.bfloat16, torch.float16]


def record(embedding_id: str, status: str = "succeeded") -> dict[str, Any]:
    """Return the part of a record that the store itself reads."""
    return {
        "id": embedding_id,
        "status": status,
        "reason": "" if status == "succeeded" else "not reached",
        "response": None,
    }


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


def same_bits(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bool((bits(a) == bits(b)).all())


def bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view({2: torch.int16, 4: torch.int32}[tensor.element_size()])


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("embeddings-*.safetensors"))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


# ---------------------------------------------------------------------------------------------- writing and reading


def test_new_store_is_empty(tmp_path: Path) -> None:
    assert Store(tmp_path).records() == []
    assert listing(tmp_path) == []


def test_a_result_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    check(Store(tmp_path), 6)


def test_a_flush_makes_one_shard_and_an_index_and_deletes_the_single_files(tmp_path: Path) -> None:
    store = fill(tmp_path, 6)
    store.flush()
    check(store, 6)
    check(Store(tmp_path), 6)
    assert listing(tmp_path) == ["embeddings-00000.safetensors", "index.parquet", "pending"]
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
    assert listing(tmp_path) == ["run", "run/embeddings-00000.safetensors", "run/index.parquet", "run/pending"]


def test_unknown_id_says_how_to_list_them(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="this run has no embedding 'b'") as caught:
        fill(tmp_path, 1).load("b")
    assert "sea show" in caught.value.hint


def test_opening_reads_no_shard_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_SIZE", 7)
    fill(tmp_path, 24)
    for shard in shards(tmp_path):
        shard.unlink()
    before = listing(tmp_path)
    opened = Store(tmp_path)
    assert len(opened.records()) == 24
    assert listing(tmp_path) == before
    with pytest.raises(RunError, match="cannot be read"):
        opened.load("e-000")


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


# ---------------------------------------------------------------------------------------------------------- kill -9

KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet, safetensors.torch, torch
from sea_core.runs import store

pyarrow.Table.from_pylist([{"warm": 1}])  # imports more, once and not in each child

store.SHARD_SIZE = 4
root = Path(sys.argv[1])

def deadly(real, left):
    def call(*args, **kwargs):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*args, **kwargs)
    return call

def write(folder, calls):
    folder.mkdir()
    reported = os.open(folder.with_suffix(".reported"), os.O_WRONLY | os.O_CREAT)
    left = [calls]
    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, deadly(getattr(os, name), left))
    writer = store.Store(folder)
    for number in range(7):
        embedding = None if number % 5 == 4 else torch.full((3, 5), float(number), dtype=torch.bfloat16)
        status = "failed" if embedding is None else "succeeded"
        writer.append({"id": f"e-{number:03d}", "status": status, "reason": "", "response": None}, embedding)
        os.write(reported, b"x")
    writer.flush()
    os._exit(0)

for calls in range(200):
    child = os.fork()
    if child == 0:
        write(root / f"{calls:03d}", calls)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_a_kill_at_any_moment_loses_no_finished_result_and_duplicates_none(tmp_path: Path) -> None:
    """The writer is killed before its first, second, ... call that makes a change durable or visible."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True)
    folders = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    states = set()
    for folder in folders:
        reported = len(folder.with_suffix(".reported").read_bytes())
        opened = Store(folder)
        count = len(opened.records())
        assert reported <= count <= reported + 1  # the result in flight may be there, complete
        check(opened, count)
        states.add((len(shards(folder)), (folder / "index.parquet").exists(), len(listing(folder / "pending")) > 0))
        fill(folder, 7 - count, first=count).flush()
        check(Store(folder), 7)
        assert listing(folder / "pending") == []
    assert len(folders) > 30
    # Among the kills: shard written but not the index; index written but not all single files deleted.
    assert {(1, False, True), (1, True, True)} <= states
    assert reported == 7, "the last process was not killed"


# ----------------------------------------------------------------------------------------------- damage, full disks


def test_a_flipped_byte_in_a_shard_is_found(tmp_path: Path) -> None:
    fill(tmp_path, 3).flush()
    (shard,) = shards(tmp_path)
    flip(shard, -1)
    opened = Store(tmp_path)
    intact = [r["id"] for r in opened.records() if _loads(opened, r["id"])]
    assert len(intact) == 2
    (corrupt,) = opened.ids() - set(intact)
    with pytest.raises(RunError, match=f"'{corrupt}' is corrupt") as caught:
        opened.load(corrupt)
    assert caught.value.where == str(shard)
    assert "--out" in caught.value.hint


def _loads(store: Store, embedding_id: str) -> bool:
    try:
        store.load(embedding_id)
    except RunError:
        return False
    return True


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage", [truncate, Path.touch, lambda path: flip(path, 40)], ids=["half", "whole", "flipped"]
)
def test_a_corrupt_index_is_an_error(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    fill(tmp_path, 40).flush()
    path = tmp_path / "index.parquet"
    if damage is Path.touch:
        path.write_bytes(b"")
    damage(path)
    with pytest.raises(RunError, match="the index is corrupt") as caught:
        Store(tmp_path)
    assert caught.value.where == str(path)
    assert "--out" in caught.value.hint


def test_a_corrupt_single_file_is_an_error_and_its_result_can_be_made_again(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    damaged = tmp_path / "pending" / "00000001.safetensors"
    truncate(damaged)
    with pytest.raises(RunError, match="the file is corrupt") as caught:
        Store(tmp_path)
    assert caught.value.where == str(damaged)
    assert "Delete it" in caught.value.hint

    damaged.unlink()
    again = Store(tmp_path)
    assert again.ids() == {"e-000", "e-002", "e-003"}
    again.append(record("e-001"), embedding(1))
    assert len(Store(tmp_path).ids()) == 4
    again.flush()
    for number in range(4):
        assert torch.equal(Store(tmp_path).load(f"e-{number:03d}"), embedding(number))


def test_a_full_disk_keeps_the_results_before_it(tmp_path: Path) -> None:
    store = fill(tmp_path, 2)
    (tmp_path / "pending" / ".00000002.safetensors.part").symlink_to("/dev/full")
    with pytest.raises(RunError, match="No space left on device") as caught:
        store.append(record("e-002"), embedding(2))
    assert "Free some space" in caught.value.hint
    check(store, 2)
    check(Store(tmp_path), 2)
    fill(tmp_path, 2, first=2).flush()
    check(Store(tmp_path), 4)


@pytest.mark.parametrize("name", ["embeddings-00001.safetensors", "index.parquet"])
def test_a_full_disk_in_a_flush_keeps_every_result(tmp_path: Path, name: str) -> None:
    fill(tmp_path, 3).flush()
    store = fill(tmp_path, 3, first=3)
    (tmp_path / f".{name}.part").symlink_to("/dev/full")
    with pytest.raises(RunError, match=f"{name}: No space left on device"):
        store.flush()
    check(store, 6)
    check(Store(tmp_path), 6)
    Store(tmp_path).flush()
    check(Store(tmp_path), 6)
    assert listing(tmp_path / "pending") == []


LIMITED = """
import resource, sys
from pathlib import Path
import torch
from sea_core.errors import RunError
from sea_core.runs.store import Store

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
store = Store(Path(sys.argv[1]))
for number, n_tokens in enumerate((100, 10_000)):
    try:
        store.append({"id": str(number), "status": "succeeded", "reason": ""}, torch.ones(n_tokens, 8))
    except RunError as error:
        print(number, error)
"""


def test_a_file_that_the_disk_refuses_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"1 cannot write {tmp_path}/pending/00000001.safetensors: File too large\n")
    assert torch.equal(Store(tmp_path).load("0"), torch.ones(100, 8))
    assert Store(tmp_path).ids() == {"0"}


def test_a_run_can_be_moved(tmp_path: Path) -> None:
    fill(tmp_path / "a", 3).flush()
    fill(tmp_path / "a", 3, first=3)
    shutil.move(tmp_path / "a", tmp_path / "b")
    check(Store(tmp_path / "b"), 6)
