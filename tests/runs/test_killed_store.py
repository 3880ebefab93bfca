"""A store whose writer is killed: what was appended is there, and nothing twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from helpers.filled_store import PART, WITH_HELPERS, check, fill, flip, listing, shards
from sea_core.runs import store as module
from sea_core.runs.store import Store

KILLED = """
import os, sys
from pathlib import Path
import pyarrow.parquet, safetensors.torch, torch
from helpers.kills import kill_after
from helpers.records import result_record
from sea_core.runs import store

pyarrow.Table.from_pylist([{"warm": 1}])  # imports more, once and not in each child

store.SHARD_SIZE = 4
root = Path(sys.argv[1])

def write(folder, calls):
    folder.mkdir()
    reported = os.open(folder.with_suffix(".reported"), os.O_WRONLY | os.O_CREAT)
    kill_after(calls, "fsync", "replace", "unlink")
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
