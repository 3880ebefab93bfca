"""How many workers a command starts, and with which model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.cli_runs import PLUGIN
from helpers.manifests import embedding_manifest
from sea_core.model import device_map
from sea_core.pipeline import launch
from sea_core.pipeline.launch import WorkerCommand
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun

OLD, NEW, NEWEST = ("0" * 40, "1" * 40, "2" * 40)


@pytest.mark.parametrize(("device", "count"), [("cuda", 3), ("cuda:1", 1), ("cpu", 1)])
def test_auto_is_one_worker_for_each_gpu_that_no_device_names(
    device: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,5")
    monkeypatch.setattr(device_map, "resolve_device", torch.device)
    assert launch.count_workers("auto", device) == count
    assert launch.count_workers(2, device) == 2


@pytest.fixture
def hub_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with three commits of a model, of which `main` is the second. Returns the file that says so."""
    own, repository = Path(ModelTarget.find(PLUGIN).checkpoint), tmp_path / "hub/models--owner--tiny"
    for commit in (OLD, NEW, NEWEST):
        shutil.copytree(own, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(NEW)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return repository / "refs/main"


@pytest.mark.parametrize(("revision", "commit"), [(OLD, OLD), (None, NEW), ("main", NEW)])
def test_workers_load_the_commit_that_the_run_was_made_with(
    hub_model: Path, tmp_path: Path, revision: str | None, commit: str
) -> None:
    target = ModelTarget.find(PLUGIN, model="owner/tiny", revision=revision)
    manifest = embedding_manifest(1, adapter=target.adapter, plugin=PLUGIN)
    identity = replace(manifest.identity, model=model_identity(target))
    metadata = replace(manifest.metadata, model=model_location(target))
    run = EmbeddingRun.start(tmp_path / "run", replace(manifest, identity=identity, metadata=metadata))
    hub_model.write_text(NEWEST)  # the owner publishes another one, while the run is made
    assert WorkerCommand.of(target).arguments == ("--model", "owner/tiny")
    for model in ("owner/tiny", None):  # a worker that a command has started, and one that has joined by hand
        found = ModelTarget.of_run(run, model=model)
        assert (found.checkpoint, found.revision, found.may_download) == ("owner/tiny", commit, model is not None)
        assert found.fingerprint() == identity.model.fingerprint == f"owner/tiny@{commit}"
