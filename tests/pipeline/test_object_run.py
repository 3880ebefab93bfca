"""A run in object storage is that of one process in a folder, whoever is killed; and shared runs lie there too.

On files in the form of objects, and on a server of S3's protocol where moto is installed (see object_storage.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN
from helpers.object_storage import SECRET, folder_address
from sea_core.errors import RunError, SeaError
from sea_core.optimization.config import OptimizeConfig
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.object_run import prepare_in_store, work_in_store
from sea_core.pipeline.optimize import optimize
from sea_core.pipeline.progress import SILENT
from sea_core.pipeline.share import pull, push
from sea_core.pipeline.synthesis import Synthesis
from sea_core.runs.block import Block
from sea_core.runs.block_folder import BLOCKS
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.object_blocks import ObjectBlocks
from sea_core.runs.object_store import ObjectStore

pytest.importorskip("obstore", reason="obstore is an extra")

COUNT = 4
CONFIG = OptimizeConfig(loss=1, margin=0, batch_size=2)


def prepare(address: str, folder: Path, count: int = COUNT, **changes: Any) -> None:
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5}, device="cpu")
    synthesis = Synthesis(config=replace(CONFIG, **{"workers": 0, **changes}))
    prepare_in_store(DataSpec(limit=count), target, address, synthesis, False, folder, SILENT)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """A run of one process in a folder."""
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5}, device="cpu")
    out = tmp_path_factory.mktemp("quiet") / "run"
    return optimize(DataSpec(limit=COUNT), target, out=out, synthesis=Synthesis(config=CONFIG), verify=False)


def assert_same(found: EmbeddingRun, expected: EmbeddingRun) -> None:
    """Check that two runs have the same embeddings, to the last bit."""
    assert not found.store.find_damage()
    assert found.store.ids() == expected.store.ids()
    for record in expected.records():
        same = found.store.record(record["id"])
        assert {**same, "shard": "", "seconds": 0.0} == {**record, "shard": "", "seconds": 0.0}
        assert torch.equal(found.load(record["id"])[0], expected.load(record["id"])[0])


class Killed(BaseException):
    """Ends a worker as SIGKILL does."""


def work_and_be_killed(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker make one embedding and end without a word; its heart has beaten once more."""
    real = Block.add

    def add(block: Block, *result: Any) -> None:
        real(block, *result)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Block, "add", add)
        patch.setattr(ObjectBlocks, "release", lambda blocks, worker: blocks.send_results())
        with pytest.raises(Killed):
            work_in_store(address, folder, device="cpu")


def test_a_run_whose_worker_is_killed_is_that_of_a_quiet_process(
    address: str, quiet: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(address, tmp_path / "preparing")
    work_and_be_killed(address, tmp_path / "first", monkeypatch)
    single = [name for name in ObjectStore(address).times(BLOCKS) if "/pending/" in name]
    assert len(single) == 1
    finished = work_in_store(address, tmp_path / "second", device="cpu")
    assert finished
    assert_same(finished, quiet)
    assert finished.manifest.resolved == quiet.manifest.resolved
    pull(address, tmp_path / "pulled")
    pulled = EmbeddingRun(tmp_path / "pulled")
    assert_same(pulled, quiet)
    assert len(pulled.audits.read()) == len(quiet.audits.read())
    store = ObjectStore(address)
    assert store.times(BLOCKS) == {}
    assert not any(SECRET.encode() in (store.read(name) or b"") for name in store.times())
    assert work_in_store(address, tmp_path / "third", device="cpu") is None
    prepare(address, tmp_path / "again")  # the same command resumes: there is nothing left to do
    with pytest.raises(RunError, match="different settings"):
        prepare(address, tmp_path / "other", steps=1)
    with pytest.raises(RunError, match="3 are requested") as found:
        prepare(address, tmp_path / "fewer", count=3)
    assert f"sea pull {address}" in found.value.hint


def test_a_run_that_is_prepared_twice_is_prepared_once(address: str, tmp_path: Path) -> None:
    prepare(address, tmp_path / "first")
    before = ObjectStore(address).times()
    prepare(address, tmp_path / "second")
    assert ObjectStore(address).times() == before
    with pytest.raises(RunError, match="different settings"):
        prepare(address, tmp_path / "third", steps=1)


def test_what_does_not_work_there_is_named(tmp_path: Path) -> None:
    address = folder_address(tmp_path / "storage")
    with pytest.raises(SeaError, match="starts no processes") as found:
        prepare(address, tmp_path / "first", workers=2)
    assert f"sea worker {address}" in found.value.hint
    with pytest.raises(RunError, match="there is no run there"):
        work_in_store(address, tmp_path / "second", device="cpu")
    expect_error(sea("show", "s3://bucket/run"), "sea pull s3://bucket/run")
    expect_error(sea("worker", "s3://user:word@bucket/run"), "AWS_ACCESS_KEY_ID")
    expect_error(sea("worker", "s3://bucket/run", "--judge", "openai"), "for runs in folders")


def test_a_shared_run_lies_in_object_storage_and_comes_back(address: str, quiet: EmbeddingRun, tmp_path: Path) -> None:
    if address.startswith("file"):
        pytest.skip("a folder is no object storage for `sea push`")
    push(quiet.folder, address, licence="cc-by-4.0", with_text=True)
    push(quiet.folder, address, licence="cc-by-4.0", with_text=True)  # as after a broken connection
    pull(address, tmp_path / "pulled")
    assert_same(EmbeddingRun(tmp_path / "pulled"), quiet)
    ObjectStore(address).write("README.md", b"changed")
    with pytest.raises(RunError, match="nothing is replaced"):
        push(quiet.folder, address, licence="cc-by-4.0", with_text=True)
    with pytest.raises(RunError, match=r"SHA-256 differs|more than"):
        pull(address, tmp_path / "again")
