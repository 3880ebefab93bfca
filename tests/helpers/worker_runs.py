"""Runs of the first demo examples, which several processes make, and one that nothing disturbed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from helpers.cli_runs import PLUGIN
from helpers.stored import stored_ids
from sea_core.optimization.config import OptimizeConfig
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import optimize
from sea_core.pipeline.synthesis import Synthesis
from sea_core.runs.embedding_run import EmbeddingRun

COUNT = 12
CONFIG = OptimizeConfig(loss=1, margin=0, batch_size=2)
SETTINGS = ("-o", "batch_size=2", "--json")


def make_run(folder: Path, config: OptimizeConfig = CONFIG, count: int = COUNT) -> EmbeddingRun:
    """Make or prepare a run of the first demo examples in this process."""
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5})
    return optimize(DataSpec(limit=count), target, out=folder, synthesis=Synthesis(config=config), verify=False)


def prepare_run(folder: Path, count: int = COUNT, **changes: Any) -> EmbeddingRun:
    """Prepare a run for workers that join it."""
    return make_run(folder, replace(CONFIG, workers=0, **changes), count)


def assert_same(found: Path, expected: EmbeddingRun) -> None:
    """Check that two runs have the same embeddings, to the last bit, and that no work is left."""
    run = EmbeddingRun(found)
    assert not run.store.find_damage()
    assert stored_ids(found) == sorted(record["id"] for record in expected.records())
    for record in expected.records():
        same = run.store.record(record["id"])
        assert {**same, "shard": "", "seconds": 0.0} == {**record, "shard": "", "seconds": 0.0}
        if record["sha256"]:
            assert torch.equal(run.load(record["id"])[0], expected.load(record["id"])[0])
    assert not (found / "blocks").exists()


def wait_for(folder: Path, least: int) -> None:
    """Wait until so many embeddings are done. Readers see them while others work."""
    until = time.monotonic() + 600  # only a worker that hangs takes so long
    while len(EmbeddingRun(folder).store.ids()) < least:
        assert time.monotonic() < until
        time.sleep(0.05)
