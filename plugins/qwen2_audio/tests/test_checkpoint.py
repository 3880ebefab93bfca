"""Checkpoints: a broken one is rejected with advice; the base model gets the same prompt as the chat model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from sea_core import ModelError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

CHATML = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "{}Hm?<|im_end|>\n<|im_start|>assistant\n"
)


def copy_checkpoint(mllm: MLLM, folder: Path) -> Path:
    return Path(shutil.copytree(mllm.adapter.checkpoint, folder / "checkpoint"))


def edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def load(checkpoint: str) -> MLLM:
    adapter = Qwen2AudioAdapter()
    return MLLM(adapter, *adapter.load(checkpoint, dtype=torch.float32, device="cpu"))


def truncate(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def keep_weights(folder: Path, keep: Callable[[str], bool]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in weights.items() if keep(k)}, folder / "model.safetensors", {"format": "pt"})


def spoil_weight(folder: Path) -> None:
    """Make one number of one tensor NaN: a row of the token embeddings that no question uses."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("embed_tokens.weight"))
    weights[name][-1, 0] = torch.nan
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


BROKEN: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
    "other family": (
        lambda f: edit(f / "config.json", architectures=["LlavaForConditionalGeneration"]),
        ("is a LlavaForConditionalGeneration", "supports Qwen2AudioForConditionalGeneration", "--plugin"),
    ),
    "no architecture": (lambda f: edit(f / "config.json", architectures=None), ("no named architecture", "--model")),
    "no config": (lambda f: (f / "config.json").unlink(), ("no config.json", "--model")),
    "cut config": (
        lambda f: (f / "config.json").write_text('{"archi'),
        ("it is not valid JSON", "config.json:"),
    ),
    "config is a list": (
        lambda f: (f / "config.json").write_text("[]"),
        ("not the configuration of a model", "config.json:"),
    ),
    "cut weights": (truncate, ("corrupt", "again")),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), ("corrupt", "again")),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), ("cannot be loaded", "safetensors")),
    "weights missing": (
        lambda f: keep_weights(f, lambda name: "projector" not in name),
        ("lacks 2 weights", "multi_modal_projector", "random numbers"),
    ),
    "a weight is NaN": (spoil_weight, ("embed_tokens.weight contains numbers that are not finite", "again")),
    "no processor": (lambda f: (f / "processor_config.json").unlink(), ("cannot be loaded", "processor")),
    "cut tokenizer": (lambda f: (f / "tokenizer.json").write_text("{"), ("cannot be loaded",)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_checkpoint_is_rejected_with_advice(mllm: MLLM, tmp_path: Path, fault: str) -> None:
    damage, parts = BROKEN[fault]
    folder = copy_checkpoint(mllm, tmp_path)
    damage(folder)
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert all(part in str(error.value) for part in parts), str(error.value)
    assert error.value.hint or error.value.where


def test_missing_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model folder") as error:
        load(str(tmp_path / "none"))
    assert "hub id" in error.value.hint


def test_unknown_hub_id_is_rejected_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="there is no folder nobody/no-such-model, and the model hub") as error:
        load("nobody/no-such-model")
    assert "connection" in error.value.hint


def test_prompt_is_chatml_with_a_numbered_audio(mllm: MLLM) -> None:
    expected = CHATML.format("Audio 1: <|audio_bos|>" + "<|AUDIO|>" * 7 + "<|audio_eos|>\n")
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", Embedding.of_size(7))) == expected
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == CHATML.format("")
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.<|im_end|>"


def test_base_checkpoint_gets_the_same_prompt_and_end_token(mllm: MLLM, tmp_path: Path) -> None:
    """The base model has no chat template, and its eos token is not the one that ends a turn."""
    folder = copy_checkpoint(mllm, tmp_path)
    (folder / "chat_template.jinja").unlink()
    edit(folder / "tokenizer_config.json", eos_token="<|endoftext|>")
    base = load(str(folder))
    assert base.tokenizer.eos_token == "<|endoftext|>"
    assert base.prompt_ids("Hm?", Embedding.of_size(7)) == mllm.prompt_ids("Hm?", Embedding.of_size(7))
    assert base.answer_ids("So.") == mllm.answer_ids("So.")
