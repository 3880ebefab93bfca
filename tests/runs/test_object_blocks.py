"""Blocks in object storage: one owner at a time, whoever is killed when, and what is finished is kept.

On files in the form of objects, and on a server of S3's protocol where moto is installed (see object_storage.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.object_storage import SECRET, folder_address, s3_environment
from helpers.records import result_record
from sea_core.errors import RunError, SeaError
from sea_core.runs import object_blocks as module
from sea_core.runs.block import ROWS, Block, BlockRow, ClaimLost
from sea_core.runs.block_folder import BLOCKS, SETTLE
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import write_sealed
from sea_core.runs.object_blocks import BlockPlan, ObjectBlocks, ObjectWorker
from sea_core.runs.object_store import ObjectStore
from sea_core.runs.store import Store

pytest.importorskip("obstore", reason="obstore is an extra")

START = "0123456789abcdef"


def rows(count: int) -> list[BlockRow]:
    return [{"id": f"e-{number:03d}", "value": {"number": number}} for number in range(count)]


def do(block: Block, count: int | None = None) -> None:
    """Do the rows of a block that are left, or so many of them."""
    for row in block.left()[:count]:
        block.add(result_record(row["id"]), torch.full((2, 3), float(row["id"][-3:])))


@dataclass
class Computers:
    """Computers that share an address only; each has a worker on it."""

    address: str
    folder: Path
    open: ExitStack = field(default_factory=ExitStack)

    def add(self) -> tuple[ObjectBlocks, ObjectWorker]:
        """Return another one, whose worker is registered."""
        number = len(list(self.folder.iterdir()))
        folder = self.folder / f"computer-{number}"
        folder.mkdir()
        blocks = ObjectBlocks(folder, ObjectStore(self.address), START)
        worker = self.open.enter_context(blocks.worker().registered())
        assert isinstance(worker, ObjectWorker)
        return blocks, worker

    def prepare(self, count: int) -> None:
        """Let a command prepare rows."""
        path = self.folder.with_name("prepared.jsonl")
        JsonlLog(path, BlockRow).append(rows(count))
        ObjectStore(self.address).write(f"{BLOCKS}/{START}/{ROWS}", path)

    def cut(self, count: int, size: int) -> None:
        """Let a computer cut rows into blocks."""
        self.prepare(count)
        blocks, worker = self.add()
        job = blocks.claim_settling(worker)
        assert job
        blocks.cut(job, job.rows, size)
        job.remove()


def die(worker: ObjectWorker) -> None:
    """Remove what shows that a worker lives."""
    worker.store.delete([f"{module.WORKERS}/{worker.path.name}"])


def claim(blocks: ObjectBlocks, worker: ObjectWorker) -> Block:
    blocks.logs.refresh(at_once=True)
    found = blocks.claim(worker)
    assert found
    return found


@pytest.fixture
def computers(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Computers]:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr("sea_core.runs.block_log.REFRESH_SECONDS", 0.0)
    (tmp_path / "computers").mkdir()
    with ExitStack() as stack:
        yield Computers(address, tmp_path / "computers", stack)


def test_a_new_object_has_one_writer_and_a_lost_reply_is_no_other_writer(address: str) -> None:
    store = ObjectStore(address)
    store.require_exclusive()
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda number: store.create("claim", b"%d" % number), range(8)))
    assert created.count(True) == 1
    assert store.read("claim") == b"%d" % created.index(True)
    assert store.create("claim", b"%d" % created.index(True))  # the same request again
    assert set(store.times()) == {"claim"}


def test_blocks_are_cut_once_and_each_has_one_owner(computers: Computers) -> None:
    computers.prepare(20)
    first, second = computers.add(), computers.add()
    job = first[0].claim_settling(first[1])
    assert job
    assert second[0].claim_settling(second[1]) is None
    assert second[0].is_settling()
    assert second[0].claim(second[1]) is None
    first[0].cut(job, job.rows, 2)
    job.remove()
    assert second[0].count_left() == 20
    others = [first, second, computers.add(), computers.add()]
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda other: list(iter(lambda: other[0].claim(other[1]), None)), others))
    ids = [row["id"] for blocks in claimed for block in blocks for row in block.rows]
    assert sorted(ids) == [row["id"] for row in rows(20)]


def test_what_is_finished_of_a_dead_workers_block_is_taken_over_and_the_worker_harms_nothing(
    computers: Computers,
) -> None:
    computers.cut(4, 4)
    (blocks, worker), (others, other) = computers.add(), computers.add()
    lost = claim(blocks, worker)
    do(lost, 2)
    blocks.send_results()
    assert others.claim(other) is None
    die(worker)
    taken = claim(others, other)
    assert [row["id"] for row in taken.left()] == ["e-002", "e-003"]
    assert taken.deaths() == 1
    do(lost)  # it wakes up
    with pytest.raises(ClaimLost):
        lost.finish()
    assert others.unfinished()
    do(taken)
    taken.finish()
    assert others.unfinished() == []
    finisher, _ = computers.add()
    assert list(finisher.fetch_parts()) == ["00000"]
    store = Store(finisher.run)
    store.join_blocks()
    assert [record["id"] for record in store.records()] == [row["id"] for row in rows(4)]
    assert torch.equal(store.load("e-003"), torch.full((2, 3), 3.0))
    assert not store.find_damage()


def test_a_worker_that_is_stopped_gives_back_its_block_with_what_is_finished(computers: Computers) -> None:
    computers.cut(3, 3)
    (blocks, worker), (others, other) = computers.add(), computers.add()
    do(claim(blocks, worker), 1)
    blocks.release(worker)
    assert blocks.all() == []
    taken = claim(others, other)
    assert len(taken.left()) == 2
    assert taken.deaths() == 0


def test_a_row_that_kills_is_found_by_isolation(computers: Computers) -> None:
    computers.cut(2, 2)
    for alone in (False, True, True):
        blocks, worker = computers.add()
        block = claim(blocks, worker)
        if alone:
            block.begin_alone("e-001", worker)
        die(worker)
    blocks, worker = computers.add()
    assert Block(blocks.unfinished()[0]).deaths() == 2  # as is known before the block is claimed
    block = claim(blocks, worker)
    assert block.deaths() == 3
    assert block.deaths("e-001") == 2
    assert block.deaths("e-000") == 0


def test_a_device_that_fails_counts_as_a_death(computers: Computers) -> None:
    computers.cut(2, 2)
    blocks, worker = computers.add()
    claim(blocks, worker)
    blocks._add_deaths(worker)
    others, other = computers.add()
    assert claim(others, other).deaths() == 1


def test_the_clock_of_the_storage_decides_who_is_dead(computers: Computers, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, worker), (_, other) = computers.add(), computers.add()
    record = json.loads(other.path.read_text(encoding="utf-8")) | {"place": "another computer", "since": "1970-01-01"}
    other.store.write(f"{module.WORKERS}/{other.path.name}", json.dumps(record).encode())
    assert worker.is_alive(other.token)
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    assert not worker.is_alive(other.token)
    worker._touch()
    assert worker.is_alive(worker.token)


def test_a_process_of_this_computer_that_is_gone_is_dead_at_once(computers: Computers) -> None:
    (_, worker), (_, other) = computers.add(), computers.add()
    record = json.loads(other.path.read_text(encoding="utf-8")) | {"born": 1.0}
    other.store.write(f"{module.WORKERS}/{other.path.name}", json.dumps(record).encode())
    assert not worker.is_alive(other.token)


def test_what_the_others_start_from_comes_with_the_plan(computers: Computers) -> None:
    computers.prepare(6)
    (blocks, worker), (others, other) = computers.add(), computers.add()
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows[:2], 2)
    first = blocks.claim(worker)
    assert first
    do(first)
    first.finish()
    blocks.cut(job, job.rows[2:], 2)
    assert others.is_settling()
    job.remove()
    assert len(others.unfinished()) == 2
    assert Store(others.run).ids() == {"e-000", "e-001"}
    assert claim(others, other).folder.label == "00001"
    assert blocks.count_left() == 4


def test_a_worker_that_cuts_blocks_and_is_taken_for_dead_publishes_nothing(computers: Computers) -> None:
    computers.prepare(4)
    (blocks, worker), (others, other) = computers.add(), computers.add()
    job = blocks.claim_settling(worker)
    assert job
    blocks.cut(job, job.rows, 1)
    die(worker)
    others.logs.refresh(at_once=True)
    again = others.claim_settling(other)
    assert again
    assert again.deaths() == 1
    others.cut(again, again.rows, 2)
    again.remove()
    with pytest.raises(ClaimLost):
        job.remove()
    job.release()
    assert [block.rows for block in blocks.unfinished()] == [2, 2]
    assert [block.label for block in blocks.all() if block.label != SETTLE] == []


def test_storage_without_conditional_writes_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless:
        """A storage that ignores what it does not know."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def put(self, name: str, data: Any, **ignored: Any) -> None:
            self.real.put(name, data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    store = ObjectStore(address)
    monkeypatch.setattr(store, "_client", Careless(store._client))
    with pytest.raises(RunError, match="no conditional writes") as found:
        store.require_exclusive()
    assert "sea push" in found.value.hint


def test_storage_that_cannot_be_used_is_named_without_secrets(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RunError, match="s3://no-such-bucket/run") as found:
        ObjectStore("s3://no-such-bucket/run").require_exclusive()
    assert SECRET not in str(found.value)
    assert "\n" not in found.value.what
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RunError, match="cannot be used"):
        ObjectStore("s3://bucket/run").require_exclusive()


@pytest.mark.parametrize("address", ["s3://user:password@bucket/run", "s3://bucket/run?key=password"])
def test_an_address_with_a_password_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(SeaError) as found:
        ObjectStore(address)
    assert "password@" not in str(found.value)
    assert "key=" not in str(found.value)


def test_a_part_that_was_changed_in_the_storage_is_noticed(computers: Computers) -> None:
    computers.cut(2, 2)
    blocks, worker = computers.add()
    block = claim(blocks, worker)
    do(block)
    block.finish()
    name = next(name for name in worker.store.times(BLOCKS) if name.endswith(".safetensors") and "embeddings" in name)
    worker.store.write(f"{BLOCKS}/{name}", b"changed")
    finisher, _ = computers.add()
    list(finisher.fetch_parts())
    Store(finisher.run).join_blocks()
    assert Store(finisher.run).find_damage() or finisher.all()
    shutil.rmtree(finisher.run)


@pytest.mark.parametrize("label", ["../../../elsewhere", "settle", "1"])
def test_a_plan_that_names_no_block_is_refused(tmp_path: Path, label: str) -> None:
    """A label is a name in folders of each worker, and a run in object storage may be anybody's."""
    computers = Computers(folder_address(tmp_path / "storage"), tmp_path / "computers")
    computers.folder.mkdir()
    computers.cut(4, 2)
    (stored,) = (tmp_path / "storage").rglob("plan.json")
    plan = BlockPlan(stored.parent.name, {label: 2}, (), ())
    write_sealed(stored, asdict(plan))
    blocks, worker = computers.add()
    with computers.open, pytest.raises(RunError, match="names a block that SEA does not write"):
        blocks.claim(worker)
    assert not list(tmp_path.rglob("elsewhere*"))
