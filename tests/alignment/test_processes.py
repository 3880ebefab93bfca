"""Alignment over several processes: the losses are those of one process with the same global batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers import fsdp_on_cpu
from helpers.cli import sea
from sea_core.alignment.run import ModelFolder
from sea_core.runs.embedding_run import EmbeddingRun

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "accelerate"
COMMAND = ("--method", "sft", "--no-spot-check", "--no-merge", "--max-steps", "3", "-o", "trainer.logging_steps=1")
BATCH = "trainer.per_device_train_batch_size"


def losses(model: Path) -> list[float]:
    return [record["loss"] for record in ModelFolder(model).trace.read()]


def test_sharded_over_two_processes(run: EmbeddingRun, tmp_path: Path) -> None:
    """FSDP2 with gloo. The trained weights come back as one model, and its export is checked as ever."""
    alone, sharded = tmp_path / "alone", tmp_path / "sharded"
    sea("align", run.folder, *COMMAND, "-o", f"{BATCH}=8", "--out", alone)
    launcher = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "helpers.fsdp_on_cpu")
    command = (*launcher, "align", str(run.folder), *COMMAND, "-o", f"{BATCH}=4", "--out", str(sharded))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (sharded / "adapter").is_dir(), process.stderr[-3000:]
    assert losses(sharded) == pytest.approx(losses(alone), rel=1e-5)
    manifest = ModelFolder(sharded).manifest
    assert manifest.identity.processes == 2
    assert set((manifest.metrics or {})["export"]["exports"]) == {"adapter"}


def test_sharded_by_deepspeed_over_two_processes(run: EmbeddingRun, tmp_path: Path) -> None:
    """ZeRO-3 with gloo, as shipped but for the precision. The first time, DeepSpeed compiles for some minutes."""
    pytest.importorskip("deepspeed", reason="DeepSpeed is not installed: pip install deepspeed ninja")
    alone, sharded = tmp_path / "alone", tmp_path / "sharded"
    sea("align", run.folder, *COMMAND, "-o", f"{BATCH}=8", "--out", alone)
    launcher = (sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(EXAMPLES / "zero3.yaml"))
    module = ("--mixed_precision", "no", "-m", "helpers.zero3_on_cpu", "align", str(run.folder), *COMMAND)
    command = (*launcher, *module, "-o", f"{BATCH}=4", "-o", "trainer.use_cpu=false", "--out", str(sharded))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (sharded / "adapter").is_dir(), process.stderr[-3000:]
    assert losses(sharded) == pytest.approx(losses(alone), rel=1e-5)


@pytest.mark.usefixtures("exports_load_here")
def test_a_rank_without_a_job_does_not_silence_an_alignment(
    run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may have left RANK in the environment: there is one process all the same, and it reports."""
    monkeypatch.setenv("RANK", "1")
    shown = sea("align", run.folder, *COMMAND, "--out", tmp_path / "model", "--json")
    assert json.loads(shown.out)["steps"] == 3


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "zero3"])
def test_the_shipped_configurations_are_accepted(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(EXAMPLES / f"{name}.yaml"))
    assert config.num_processes == 2


def test_the_tested_settings_are_the_shipped_ones() -> None:
    shipped = yaml.safe_load((EXAMPLES / "fsdp2.yaml").read_text())["fsdp_config"]
    tested = {name.removeprefix("FSDP_").lower(): value for name, value in fsdp_on_cpu.SETTINGS.items()}
    for name, value in shipped.items():
        key = name.removeprefix("fsdp_")
        assert tested.get(key, "false") == str(value).lower() or tested[key] == str(value), name
