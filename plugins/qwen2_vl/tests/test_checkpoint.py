"""Checkpoints: the bundled one is whole and small, and a broken one is refused with advice."""

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
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
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


def tear(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def keep_weights(folder: Path, keep: Callable[[str], bool]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in weights.items() if keep(k)}, folder / "model.safetensors", {"format": "pt"})


BROKEN: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
    "other family": (
        lambda f: edit(f / "config.json", architectures=["LlavaForConditionalGeneration"]),
        ("is a LlavaForConditionalGeneration", "supports Qwen2VLForConditionalGeneration, Qwen2_5_VL", "--plugin"),
    ),
    "no config": (lambda f: (f / "config.json").unlink(), ("no config.json", "--model")),
    "torn config": (lambda f: (f / "config.json").write_text('{"archi'), ("config.json is corrupt", "config.json:")),
    "torn weights": (tear, ("corrupt", "again")),
    "weights missing": (lambda f: keep_weights(f, lambda name: "merger" not in name), ("lacks 6 weights", "merger")),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), ("cannot be loaded",)),
    "no image processor": (lambda f: (f / "preprocessor_config.json").unlink(), ("cannot be loaded",)),
    "torn video processor": (
        lambda f: (f / "video_preprocessor_config.json").write_text("{"),
        ("cannot be loaded",),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_checkpoint_is_refused_with_advice(tmp_path: Path, fault: str) -> None:
    spoil, words = BROKEN[fault]
    folder = Path(shutil.copytree(ImageAdapter.checkpoint, tmp_path / "checkpoint"))
    spoil(folder)
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert all(word in str(error.value) for word in words), str(error.value)
    assert error.value.hint or error.value.where


def test_the_bundled_checkpoint_is_small_and_readable() -> None:
    files = list(Path(ImageAdapter.checkpoint).iterdir())
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o644"}
    card = read_card(ImageAdapter.checkpoint)
    assert card["blueprint"] == "tiny"
    assert "sea toy build small --plugin qwen2_vl" in card["limits"]
    assert min(card["metrics"].values()) >= 0.95


def test_bf16_passes_the_check_that_a_run_begins_with() -> None:
    for adapter in (ImageAdapter(), VideoAdapter()):
        check_seam(MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.bfloat16, device="cpu")))


@pytest.mark.parametrize("adapter", [ImageAdapter(), VideoAdapter()], ids=lambda a: a.modality)
def test_the_prompt_is_chatml_with_a_vision_span(bundled: tuple[Any, Any], adapter: Any) -> None:
    mllm = MLLM(adapter, *bundled)
    span = f"<|vision_start|>{adapter.placeholder * 3}<|vision_end|>"
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", 12)) == CHATML.format(span)
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == CHATML.format("")
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.<|im_end|>"
