"""The store: what was appended is on disk, through kills, damage and full disks, bit for bit."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from helpers.records import result_record
from sea_core.errors import RunError
from sea_core.runs import store as module
from sea_core.runs.store import Store

PART = ["embeddings", "embeddings/00000.safetensors", "index", "index/00000.parquet", "inventory.jsonl", "pending"]
"""The files of a run with one part."""
WITH_HELPERS = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
"""For scripts that make records as the tests do."""
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


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


def same_bits(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bool((bits(a) == bits(b)).all())


def bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view({2: torch.int16, 4: torch.int32}[tensor.element_size()])


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "embeddings").glob("*.safetensors"))


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


# ---------------------------------------------------------------------------------------------------------- kill -9

KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet, safetensors.torch, torch
from helpers.records import result_record
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
        writer.append(result_record(f"e-{number:03d}", status=status), embedding)
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


def test_a_kill_at_any_moment_loses_no_finished_result_and_duplicates_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is killed before its first, second, ... call that makes a change durable or visible."""
    monkeypatch.setattr(module, "SHARD_SIZE", 4)
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True, env=WITH_HELPERS)
    folders = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    states = set()
    for folder in folders:
        reported = len(folder.with_suffix(".reported").read_bytes())
        opened = Store(folder)
        count = len(opened.records())
        assert reported <= count <= reported + 1  # the result in flight may be there, complete
        check(opened, count)
        parts = len(Store(folder).inventory.files()) // 2
        states.add((len(shards(folder)), parts, len(listing(folder / "pending")) > 0))
        fill(folder, 7 - count, first=count).flush()
        check(Store(folder), 7)
        indexes = sorted((folder / "index").glob("*.parquet"))
        assert [pyarrow.parquet.read_metadata(index).num_rows for index in indexes] == [4, 3]
        assert listing(folder / "pending") == []
    assert len(folders) > 30
    # Among the kills: shard written but not the inventory; inventory written but not all single files deleted.
    assert {(1, 0, True), (1, 1, True)} <= states
    assert reported == 7, "the last process was not killed"


def test_an_inventory_that_was_cut_off_makes_no_second_part(tmp_path: Path) -> None:
    """A write of two lines stopped in the second one."""
    store = fill(tmp_path, 3)
    singles = {path: path.read_bytes() for path in (tmp_path / "pending").iterdir()}
    store.flush()
    for path, data in singles.items():
        path.write_bytes(data)
    inventory = tmp_path / "inventory.jsonl"
    whole = inventory.read_bytes()
    inventory.write_bytes(whole[:-20])
    again = Store(tmp_path)
    check(again, 3)
    again.flush()
    assert listing(tmp_path) == PART
    assert inventory.read_bytes() == whole
    check(Store(tmp_path), 3)


def test_a_repair_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    fill(tmp_path, 3).flush()
    flip(shards(tmp_path)[0], -1)
    Store(tmp_path).put_aside_damage()
    inventory = tmp_path / "inventory.jsonl"
    whole = inventory.read_bytes()
    inventory.write_bytes(whole[:-20])
    Store(tmp_path).put_aside_damage()
    assert inventory.read_bytes() == whole


# ----------------------------------------------------------------------------------------------- damage, full disks


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_in_the_middle(path: Path) -> None:
    flip(path, path.stat().st_size // 2)


def flip_at_the_end(path: Path) -> None:
    flip(path, -1)


DAMAGE = [truncate, empty, Path.unlink, flip_in_the_middle, flip_at_the_end]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", ["embeddings/00000.safetensors", "index/00000.parquet"])
def test_a_damaged_part_is_put_aside_and_made_again(
    tmp_path: Path, file: str, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD_SIZE", 7)
    fill(tmp_path, 14)
    damage(tmp_path / file)
    opened = Store(tmp_path)
    assert [found.path for found in opened.find_damage()] == [file]

    opened.put_aside_damage()
    assert opened.find_damage() == []
    lost = {f"e-{number:03d}" for number in range(14)} - opened.ids()
    assert len(lost) <= 7
    if damage is flip_at_the_end and file.startswith("embeddings"):
        assert len(lost) == 1  # the bytes of all others are right
    if damage is not Path.unlink:
        assert (tmp_path / "damaged" / file).is_file()
    for embedding_id in sorted(lost):
        number = int(embedding_id[2:])
        failed = number % 5 == 4
        opened.append(record(embedding_id, "failed" if failed else "succeeded"), None if failed else embedding(number))
    opened.flush()
    again = Store(tmp_path)
    assert (again.find_damage(cached=False), len(again.ids())) == ([], 14)
    for found in again.records():
        if found["status"] == "succeeded":
            assert torch.equal(again.load(found["id"]), embedding(int(found["id"][2:])))


def test_what_was_found_corrupt_while_reading_is_put_aside_by_the_next_writer(tmp_path: Path) -> None:
    fill(tmp_path, 3).flush()
    (shard,) = shards(tmp_path)
    flip(shard, -1)
    opened = Store(tmp_path)
    corrupt = next(i for i in opened.ids() if not _loads(opened, i))
    with pytest.raises(RunError, match=f"'{corrupt}' is damaged") as caught:
        opened.load(corrupt)
    assert caught.value.where == str(shard)
    assert "makes their embeddings again" in caught.value.hint
    opened.put_aside_damage()
    assert Store(tmp_path).ids() == {"e-000", "e-001", "e-002"} - {corrupt}


def _loads(store: Store, embedding_id: str) -> bool:
    try:
        store.load(embedding_id)
    except RunError:
        return False
    return True


def test_an_index_of_another_run_is_damage(tmp_path: Path) -> None:
    """It is valid in itself, and even its shard may fit."""
    fill(tmp_path / "a", 3).flush()
    other = Store(tmp_path / "b")
    for number in range(3):
        other.append({**record(f"e-{number:03d}"), "harmful": False}, embedding(number))
    other.flush()
    index = Path("index", "00000.parquet")
    shutil.copy(tmp_path / "b" / index, tmp_path / "a" / index)
    (damage,) = Store(tmp_path / "a").damage
    assert damage.path == index.as_posix()
    assert Store(tmp_path / "a").records() == []


@pytest.mark.parametrize("damage", [truncate, empty, flip_in_the_middle, flip_at_the_end])
def test_a_damaged_single_file_is_put_aside(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    fill(tmp_path, 4)
    damage(tmp_path / "pending" / "00000001.safetensors")
    opened = Store(tmp_path)
    assert [found.path for found in opened.damage] == ["pending/00000001.safetensors"]
    assert opened.ids() == {"e-000", "e-002", "e-003"}
    opened.put_aside_damage()
    opened.append(record("e-001"), embedding(1))
    opened.flush()
    assert Store(tmp_path).damage == []
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


@pytest.mark.parametrize("name", ["embeddings/00001.safetensors", "index/00001.parquet"])
def test_a_full_disk_in_a_flush_keeps_every_result(tmp_path: Path, name: str) -> None:
    fill(tmp_path, 3).flush()
    store = fill(tmp_path, 3, first=3)
    path = tmp_path / name
    path.with_name(f".{path.name}.part").symlink_to("/dev/full")
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
from helpers.records import result_record
from sea_core.errors import RunError
from sea_core.runs.store import Store

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
store = Store(Path(sys.argv[1]))
for number, n_tokens in enumerate((100, 10_000)):
    try:
        store.append(result_record(str(number)), torch.ones(n_tokens, 8))
    except RunError as error:
        print(number, error)
"""


def test_a_file_that_the_disk_refuses_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True, env=WITH_HELPERS
    )
    assert done.stdout.startswith(f"1 cannot write {tmp_path}/pending/00000001.safetensors: File too large\n")
    assert torch.equal(Store(tmp_path).load("0"), torch.ones(100, 8))
    assert Store(tmp_path).ids() == {"0"}


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
