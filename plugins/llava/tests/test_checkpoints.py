"""Checkpoints that the adapter drives, and relatives that it refuses."""

from __future__ import annotations

import json
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


def test_a_copy_of_the_bundled_checkpoint_loads_and_answers_alike(mllm: MLLM, tmp_path: Path) -> None:
    copy = load(Path(shutil.copytree(mllm.adapter.checkpoint, tmp_path / "copy")))
    assert torch.equal(copy.blank().features, mllm.blank().features)


def test_another_familys_checkpoint_is_refused(mllm: MLLM, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(mllm.adapter.checkpoint, tmp_path / "other"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["Qwen2AudioForConditionalGeneration"]}))
    with pytest.raises(
        ModelError, match="is a Qwen2AudioForConditionalGeneration; this plugin supports Llava"
    ) as error:
        load(folder)
    assert "--plugin" in error.value.hint


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        (LlavaNextConfig(), "LlavaNextForConditionalGeneration"),
        (LlavaOnevisionConfig(), "LlavaOnevisionForConditionalGeneration"),
        (LlavaConfig(vision_config=PixtralVisionConfig()), "LlavaForConditionalGeneration"),
    ],
    ids=["next", "onevision", "pixtral"],
)
def test_a_relative_that_packs_its_rows_is_refused(tmp_path: Path, config: Any, architecture: str) -> None:
    config.architectures = [architecture]
    config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=rf"is a {architecture} that packs its image rows") as error:
        load(tmp_path)
    assert "LLaVA-1.5" in error.value.hint
