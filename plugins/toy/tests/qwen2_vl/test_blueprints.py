"""The blueprints' own steps, a few of each: what comes out loads, and sees both modalities."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sea_core.model.checkpoint import read_card
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_qwen2_vl.adapter import ImageAdapter
from sea_toy import build
from sea_toy.graft import GraftConfig, graft
from sea_toy.qwen2_vl.blueprints import BLUEPRINTS
from sea_toy.qwen2_vl.small import SmallQwen2VLStudent
from sea_toy.qwen2_vl.tiny import TinyQwen2VLStudent
from sea_toy.student import TrainConfig
from sea_toy.world import ToyWorld

SHORT = TrainConfig(renderings=1, encoder_steps=2, encoder_batch=4, language_steps=2, media_batch=3, text_batch=1)


class ShortPupil(TinyQwen2VLStudent):
    lengths = SHORT


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


def test_a_model_has_both_modalities() -> None:
    assert [(blueprint.name, blueprint.modality) for blueprint in BLUEPRINTS] == [
        ("tiny", "image and video"),
        ("small", "image and video"),
    ]


def test_both_modalities_are_taught_together(tmp_path: Path) -> None:
    told: list[str] = []
    build.build_tiny(ShortPupil(), tmp_path, 0, told.append)
    assert [line.split(": ")[1] for line in told[:2]] == ["image", "video"]
    figures = build.check(ShortPupil(), tmp_path, 0, per_skill=2)
    assert set(figures) == {f"{m} {s}" for m in ("image", "video") for s in (*ToyWorld.SKILLS, "blank", "text")}
    assert "--plugin qwen2_vl" in read_card(str(tmp_path))["limits"]
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in Path(ImageAdapter.checkpoint).iterdir()}
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o644}


def test_a_llama_inside_says_on_plain_text_what_it_said_outside(llama: tuple[Any, Any]) -> None:
    mllm = SmallQwen2VLStudent().around(*llama)
    ids = torch.randint(10, 200, (2, 17))
    with torch.no_grad():
        assert torch.allclose(mllm.model(input_ids=ids).logits, llama[0](input_ids=ids).logits, atol=1e-5)
    check_seam(mllm)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_a_small_model_is_grafted_onto_a_language_model(llama: tuple[Any, Any], tmp_path: Path) -> None:
    pupil = SmallQwen2VLStudent()
    told: list[str] = []
    mllm = pupil.around(*llama)
    graft(pupil, mllm, 0, SHORT, GraftConfig(50, 2, 20, 2, 1, 2), told.append)
    build.save(mllm, tmp_path)
    assert [line.split(" ")[0] for line in told[2:]] == ["captions", "answers"]
    for one in (pupil, *pupil.other_modalities):
        adapter = one.adapter
        whole = MLLM(adapter, *adapter.load(str(tmp_path), dtype=torch.float32, device="cpu"))
        check_seam(whole)
        assert mllm.model.config.vision_config.embed_dim == whole.blank().features.shape[1] == 128
