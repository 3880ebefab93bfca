"""The steps of the Qwen2-VL blueprints on a few renderings: the result loads, and has both modalities."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sea_core.model.checkpoint import read_card
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_qwen2_vl.adapter import ImageAdapter
from sea_qwen2_vl.processor import load_processor
from sea_toy import build
from sea_toy.graft import GraftConfig, graft
from sea_toy.qwen2_vl.blueprints import BLUEPRINTS
from sea_toy.qwen2_vl.small import SmallQwen2VLStudent
from sea_toy.qwen2_vl.tiny import TinyQwen2VLStudent
from sea_toy.student import TrainConfig
from sea_toy.world import SKILLS

QUICK = TrainConfig(renderings=1, encoder_steps=2, encoder_batch=4, language_steps=2, media_batch=3, text_batch=1)


class QuickStudent(TinyQwen2VLStudent):
    config = QUICK


@pytest.fixture
def llama(bundled: tuple[Any, Any]) -> tuple[Any, Any]:
    """A causal language model with random weights, and a tokenizer for it."""
    torch.manual_seed(0)
    tokenizer = copy.deepcopy(bundled[1].tokenizer)
    config = LlamaConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=96,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
    )
    return LlamaForCausalLM(config), tokenizer


def test_blueprints() -> None:
    assert [(blueprint.name, blueprint.modality) for blueprint in BLUEPRINTS] == [
        ("tiny", "image and video"),
        ("small", "image and video"),
    ]


def test_both_modalities_are_trained_together(tmp_path: Path) -> None:
    progress: list[str] = []
    build.build_tiny(QuickStudent(), tmp_path, 0, progress.append)
    assert [line.split(": ")[1] for line in progress[:2]] == ["image", "video"]
    metrics = build.check(QuickStudent(), tmp_path, 0, per_skill=2)
    assert set(metrics) == {f"{m} {s}" for m in ("image", "video") for s in (*SKILLS, "blank", "text")}
    assert "--plugin qwen2_vl" in read_card(str(tmp_path))["limits"]
    assert names_of_files(tmp_path) == names_of_files(Path(ImageAdapter.checkpoint))
    built, bundled = (load_processor(str(folder), None) for folder in (tmp_path, ImageAdapter.checkpoint))
    assert built.to_dict() == bundled.to_dict()
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o644}


def names_of_files(folder: Path) -> set[str]:
    """The settings of a processor are in one file today; the bundled checkpoint has a file for each part."""
    return {file.name for file in folder.iterdir() if not file.name.endswith("processor_config.json")}


def test_llama_keeps_its_logits_on_plain_text(llama: tuple[Any, Any]) -> None:
    mllm = SmallQwen2VLStudent().build_around(*llama)
    ids = torch.randint(10, 200, (2, 17))
    with torch.no_grad():
        assert torch.allclose(mllm.model(input_ids=ids).logits, llama[0](input_ids=ids).logits, atol=1e-5)
    check_seam(mllm)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_small_model_is_built_around_a_language_model(llama: tuple[Any, Any], tmp_path: Path) -> None:
    student = SmallQwen2VLStudent()
    progress: list[str] = []
    mllm = student.build_around(*llama)
    graft(student, mllm, 0, QUICK, GraftConfig(2, 2, 2, 2, 1, 2), progress.append)
    build.save(mllm, tmp_path)
    assert [line.split(" ")[0] for line in progress[2:]] == ["captions", "answers"]
    for each in student.all_modalities:
        adapter = each.adapter
        loaded = MLLM(adapter, *adapter.load(str(tmp_path), dtype=torch.float32, device="cpu"))
        check_seam(loaded)
        assert mllm.model.config.vision_config.embed_dim == loaded.blank().features.shape[1] == 128
