"""Checkpoints that the adapter supports, and related ones that it rejects."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlavaConfig, LlavaNextConfig, LlavaOnevisionConfig, PixtralVisionConfig

from sea_core import ModelError
from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter


def load(checkpoint: Path) -> MLLM:
    adapter = LlavaAdapter()
    return MLLM(adapter, *adapter.load(str(checkpoint), dtype=torch.float32, device="cpu"))


def test_copy_of_the_bundled_checkpoint_loads(mllm: MLLM, tmp_path: Path) -> None:
    copy = load(Path(shutil.copytree(mllm.adapter.checkpoint, tmp_path / "copy")))
    assert torch.equal(copy.blank().features, mllm.blank().features)


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        (LlavaNextConfig(), "LlavaNextForConditionalGeneration"),
        (LlavaOnevisionConfig(), "LlavaOnevisionForConditionalGeneration"),
        (LlavaConfig(vision_config=PixtralVisionConfig()), "LlavaForConditionalGeneration"),
    ],
    ids=["next", "onevision", "pixtral"],
)
def test_related_model_that_packs_features_is_rejected(tmp_path: Path, config: Any, architecture: str) -> None:
    config.architectures = [architecture]
    config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=rf"is a {architecture} that packs its image features") as error:
        load(tmp_path)
    assert "LLaVA-1.5" in error.value.hint
