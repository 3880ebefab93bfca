"""What is specific to LLaVA at the seam. The rest is in the adapter contract."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import LlavaConfig, LlavaForConditionalGeneration

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam

TOWER = {
    "model_type": "clip_vision_model",
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 80,
    "patch_size": 16,
    "projection_dim": 16,
}


@pytest.fixture(scope="module")
def images(mllm: MLLM, media: Path) -> list[Image.Image]:
    """Three images."""
    return [mllm.adapter.read_media(path, mllm.processor) for path in sorted(media.glob("*.png"))[:3]]


def test_features_are_those_of_the_selected_layer(mllm: MLLM, images: list[Image.Image]) -> None:
    embeddings = mllm.encode(images)
    pixels = mllm.processor.image_processor(images, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        states = mllm.model.model.vision_tower(pixels, output_hidden_states=True).hidden_states
    assert mllm.model.config.vision_feature_layer == -2
    assert torch.equal(torch.stack([e.features for e in embeddings]), states[-2][:, 1:])
    assert {tuple(e.features.shape) for e in embeddings} == {(25, 96)}


@pytest.mark.parametrize(
    ("changed", "n_features", "width"),
    [
        ({"vision_feature_select_strategy": "full"}, 26, 16),
        ({"vision_feature_layer": -1}, 25, 16),
        ({"vision_feature_layer": [-3, -2]}, 25, 32),
    ],
    ids=["with the class token", "last layer", "two layers concatenated"],
)
def test_checkpoints_that_select_other_features(
    mllm: MLLM, changed: dict[str, Any], n_features: int, width: int
) -> None:
    text = mllm.model.config.text_config.to_dict() | {"num_hidden_layers": 1}
    config = LlavaConfig(vision_config=TOWER, text_config=text, image_token_index=mllm.placeholder_id, **changed)
    processor = copy.deepcopy(mllm.processor)
    processor.vision_feature_select_strategy = config.vision_feature_select_strategy
    other = MLLM(mllm.adapter, LlavaForConditionalGeneration(config), processor)
    check_seam(other)
    assert other.blank().features.shape == (n_features, width)


def test_an_image_has_576_vectors_of_1024_at_7b(mllm: MLLM) -> None:
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(LlavaConfig())
    large = MLLM(mllm.adapter, model, mllm.processor)
    states = model.model.vision_tower(torch.empty(2, 3, 336, 336, device="meta"), output_hidden_states=True)
    crossed = states.hidden_states[model.config.vision_feature_layer][:, 1:]
    first, second = mllm.adapter.split(crossed, {})
    assert first.shape == second.shape == (576, 1024)
    assert large.project(Embedding(first)).shape == (mllm.adapter.placeholders(576), 4096)
    assert sum(p.numel() for p in model.parameters()) > 7e9


def test_prompt_begins_with_the_begin_of_text_token(mllm: MLLM) -> None:
    expected = "<s>USER: " + "<image>" * 7 + "\nHm? ASSISTANT:"
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", Embedding.of_size(7))) == expected
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == "<s>USER: Hm? ASSISTANT:"
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.</s>"


def test_begin_of_text_token_of_the_template_is_not_repeated(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = mllm.prompt_ids("Hm?", Embedding.of_size(7))
    monkeypatch.setattr(mllm.processor, "chat_template", "{{ '<s>' }}" + mllm.processor.chat_template)
    assert mllm.prompt_ids("Hm?", Embedding.of_size(7)) == expected
