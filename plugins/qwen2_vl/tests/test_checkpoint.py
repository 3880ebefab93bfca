"""Checkpoints: the bundled one is complete and small, and one with a broken processor is rejected with advice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from sea_core import ModelError
from sea_core.model.checkpoint import read_card
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter

CHATML = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "{}Hm?<|im_end|>\n<|im_start|>assistant\n"
)


def load(checkpoint: str) -> MLLM:
    adapter = ImageAdapter()
    return MLLM(adapter, *adapter.load(checkpoint, dtype=torch.float32, device="cpu"))


def edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


BROKEN: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
    "other family": (
        lambda f: edit(f / "config.json", architectures=["LlavaForConditionalGeneration"]),
        ("is a LlavaForConditionalGeneration", "supports Qwen2VLForConditionalGeneration, Qwen2_5_VL", "--plugin"),
    ),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), ("cannot be loaded",)),
    "no image processor": (lambda f: (f / "preprocessor_config.json").unlink(), ("cannot be loaded",)),
    "truncated video processor": (
        lambda f: (f / "video_preprocessor_config.json").write_text("{"),
        ("not the settings of a processor",),
    ),
    "video processor of other types": (
        lambda f: (f / "video_preprocessor_config.json").write_text('{"patch_size": "14"}'),
        ("patch_size: expected a valid integer, found",),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_checkpoint_is_rejected_with_advice(tmp_path: Path, fault: str) -> None:
    damage, parts = BROKEN[fault]
    folder = Path(shutil.copytree(ImageAdapter.checkpoint, tmp_path / "checkpoint"))
    damage(folder)
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert all(part in str(error.value) for part in parts), str(error.value)
    assert error.value.hint or error.value.where


def test_bundled_checkpoint_is_small_and_readable() -> None:
    files = list(Path(ImageAdapter.checkpoint).iterdir())
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o644"}
    card = read_card(ImageAdapter.checkpoint)
    assert card["blueprint"] == "tiny"
    assert "sea toy build small --plugin qwen2_vl" in card["limits"]
    assert min(card["metrics"].values()) >= 0.95


@pytest.mark.parametrize("adapter", [ImageAdapter(), VideoAdapter()], ids=lambda a: a.modality)
def test_prompt_is_chatml_with_a_vision_span(bundled: tuple[Any, Any], adapter: Any) -> None:
    mllm = MLLM(adapter, *bundled)
    span = f"<|vision_start|>{adapter.placeholder * 3}<|vision_end|>"
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", Embedding.of_size(12))) == CHATML.format(span)
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == CHATML.format("")
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.<|im_end|>"
