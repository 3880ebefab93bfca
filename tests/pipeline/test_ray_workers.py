"""Workers on a real Ray cluster of this computer, one of which is killed in the middle. Only where Ray is installed."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cli_runs import PLUGIN
from sea_core.optimization.config import OptimizeConfig
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import optimize
from sea_core.pipeline.ray_workers import NAME, work_on_ray
from sea_core.pipeline.synthesis import Synthesis
from sea_core.pipeline.verify import verify
from sea_core.runs.embedding_run import EmbeddingRun

COUNT = 16
CONFIG = OptimizeConfig(loss=1, margin=0, batch_size=2)

ray: Any = pytest.importorskip("ray", reason="Ray is an extra")


def make_run(folder: Path, workers: int) -> EmbeddingRun:
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5})
    synthesis = Synthesis(config=replace(CONFIG, workers=workers))
    return optimize(DataSpec(limit=COUNT), target, out=folder, synthesis=synthesis, verify=False)


def digests(run: EmbeddingRun) -> dict[str, str]:
    return {record["id"]: record["sha256"] for record in run.records()}


def kill_first_actor(run: Path, killed: list[int]) -> None:
    """Kill an actor as soon as an embedding is done; Ray starts it again."""
    until = time.monotonic() + 300
    while len(EmbeddingRun(run).store.ids()) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    ray.kill(ray.get_actor(f"{NAME}-{os.getpid()}-0"), no_restart=False)
    killed.append(len(EmbeddingRun(run).store.ids()))


@pytest.mark.filterwarnings("ignore")
def test_actors_that_are_killed_are_started_again_and_change_no_bit(tmp_path: Path) -> None:
    quiet = make_run(tmp_path / "quiet", 1)
    run = make_run(tmp_path / "run", 0).folder
    killed: list[int] = []
    killer = threading.Thread(target=kill_first_actor, args=(run, killed))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    killer.start()
    try:
        assert work_on_ray(run, 3, {"device": "cpu"}) is not None  # one of them never starts
        verify(run, workers=0)
        assert work_on_ray(run, 1, {"device": "cpu"}) is not None
        assert work_on_ray(run, 1, {"device": "cpu"}) is None  # nothing is left
    finally:
        ray.shutdown()
    killer.join()
    assert 1 <= killed[0] < COUNT
    found = EmbeddingRun(run)
    assert digests(found) == digests(quiet)
    assert torch.equal(found.load("demo-000")[0], quiet.load("demo-000")[0])
    assert not (run / "blocks").exists()
    assert len(found.audits.read()) == 3
    verify(quiet)
    assert (run / "verify.jsonl").read_bytes() == (quiet.folder / "verify.jsonl").read_bytes()
    assert not list(run.glob("*blocks*"))
