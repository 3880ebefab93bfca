"""A store with damaged files, or on a full disk: what is intact is kept, and the rest is made again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from helpers.filled_store import WITH_HELPERS, check, embedding, fill, flip, listing, record, shards
from sea_core.errors import RunError
from sea_core.runs import store as module
from sea_core.runs.store import Store


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
