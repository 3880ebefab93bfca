"""The bundled tiny model with two encoders: it is the joint adapter's own, and a run on it succeeds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from helpers.cli import sea
from sea_auto.adapter import STYLES
from sea_auto.joint import ImageAudioAutoAdapter
from sea_core import SeaError
from sea_core.model.checkpoint import read_card
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget
from sea_core.plugin.testing import AdapterContract


def load(**settings: object) -> MLLM:
    return ModelTarget.find("auto", modality="image+audio", dtype="float32", device="cpu", settings=settings).load()


class TestContract(AdapterContract):
    def mllm(self) -> MLLM:
        return load()


def test_bundled_checkpoint_is_small_and_readable() -> None:
    files = list(Path(ImageAudioAutoAdapter.checkpoint).iterdir())
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o644"}
    card = read_card(ImageAudioAutoAdapter.checkpoint)
    assert card["blueprint"] == "tiny"
    assert "sea toy build small" not in card["limits"]
    assert min(card["metrics"].values()) >= 0.75


@pytest.mark.parametrize("modality", ["image", "audio"])
def test_one_modality_has_no_model_of_its_own(modality: str) -> None:
    with pytest.raises(SeaError, match=f"no model of its own for the modality {modality}") as error:
        ModelTarget.find("auto", modality=modality)
    assert "--model" in error.value.hint


def test_default_sizes_fit_the_model() -> None:
    """The processor resizes a picture, and audio is at most as long as the model takes."""
    small, own = load(width=84, height=84, seconds=2.0).blank(), load().blank()
    assert torch.equal(small.features, own.features)
    assert own.features.shape == (86, 96)


def test_the_style_is_that_of_what_is_optimised() -> None:
    assert load(hold="image").adapter.styles == STYLES["audio"]
    assert load(hold="audio").adapter.styles == load().adapter.styles == STYLES["image"]


def test_two_examples_are_optimised_and_verified(tmp_path: Path) -> None:
    out = tmp_path / "run"
    model = ("--plugin", "auto", "--modality", "image+audio")
    metrics = sea("optimize", *model, "--limit", 2, "--out", out, "--json").json()
    assert metrics["osr"] == 1
    assert metrics["vsr"] >= 0.75  # one of four answers names another object
