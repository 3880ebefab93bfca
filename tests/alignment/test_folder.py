"""The model folder: when a first try may be replaced by one with other settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sea_core.alignment.checkpoints import CHECKPOINTS
from sea_core.alignment.run import AlignIdentity, AlignManifest, AlignMetadata, ModelFolder
from sea_core.alignment.spot_check import SpotCheckRecord
from sea_core.errors import RunError
from sea_core.runs.manifest import ModelIdentity

IDENTITY = AlignIdentity(
    sea="1",
    model=ModelIdentity("nose", "1.2", "smell", {}, "sha256:aa", "float32"),
    method="dpo",
    full_finetune=False,
    config={"benign_ratio": 0.5},
    trainer={"max_steps": 1},
    lora={},
    examples="d1",
    processes=1,
)
ANSWER: SpotCheckRecord = {
    "when": "before",
    "group": "text",
    "id": "a",
    "example": "a",
    "harmful": True,
    "seen": False,
    "prompt": "?",
    "answer": "of the former settings",
    "judge": "",
    "refused": False,
    "named": None,
}
OTHER = replace(IDENTITY, trainer={"max_steps": 2})


def start(folder: Path, identity: AlignIdentity) -> ModelFolder:
    metadata = AlignMetadata(checkpoint="models/nose", revision=None, runs=("runs/a",), extra_texts=0)
    return ModelFolder.start(folder, AlignManifest(identity=identity, metadata=metadata))


def test_a_failed_first_try_may_be_replaced(tmp_path: Path) -> None:
    start(tmp_path, IDENTITY).spot_check.append([ANSWER])
    again = start(tmp_path, OTHER)
    assert again.manifest.identity == OTHER
    assert not again.spot_check.read()


def test_a_started_training_is_kept(tmp_path: Path) -> None:
    start(tmp_path, IDENTITY).spot_check.append([ANSWER])
    (tmp_path / CHECKPOINTS / "checkpoint-10").mkdir(parents=True)
    with pytest.raises(RunError, match=r"trainer\.max_steps: stored 1, requested 2"):
        start(tmp_path, OTHER)
    assert start(tmp_path, IDENTITY).spot_check.read()


def test_a_finished_alignment_is_kept(tmp_path: Path) -> None:
    start(tmp_path, IDENTITY).finish({"steps": 1})
    with pytest.raises(RunError, match="different settings"):
        start(tmp_path, OTHER)
