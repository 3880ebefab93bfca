"""The image seam on the real class: bit-equal to the ordinary forward."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import LlavaConfig, LlavaForConditionalGeneration

from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_toy.llava import tiny

QUESTIONS = ("What is the style of the image?", "Which activity do you notice here?", "Hm?")


@pytest.fixture(scope="module")
def images(mllm: MLLM, media: Path) -> list[Image.Image]:
    """Three images."""
    return [mllm.adapter.read_media(path, mllm.processor) for path in sorted(media.glob("*.png"))[:3]]


@pytest.fixture
def padding_side(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda side: monkeypatch.setattr(mllm.processor.tokenizer, "padding_side", side)


def logits_both_ways(mllm: MLLM, images: list[Image.Image]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of the ordinary forward, and of the one from the encoder's own output."""
    inputs = mllm.media_inputs(QUESTIONS, images)
    assert (inputs["attention_mask"] == 0).any()
    with torch.no_grad():
        ordinary = mllm.model(**inputs).logits
        embeddings = mllm.encode(images)
        with mllm.inject():
            spliced = mllm.model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
            ).logits
    return ordinary, spliced


# --- the seam is the ordinary forward ---------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_from_the_encoders_own_output_is_bit_equal(
    mllm: MLLM, images: list[Image.Image], padding_side: Callable[[str], None], side: str
) -> None:
    padding_side(side)
    ordinary, spliced = logits_both_ways(mllm, images)
    assert torch.equal(spliced, ordinary)


def test_a_batch_of_bf16_answers_like_the_ordinary_forward(mllm: MLLM, images: list[Image.Image]) -> None:
    model, processor = mllm.adapter.load(mllm.adapter.checkpoint, dtype=torch.bfloat16, device="cpu")
    rough = MLLM(mllm.adapter, model, processor)
    ordinary, spliced = logits_both_ways(rough, images)
    assert ordinary.dtype == torch.bfloat16
    # P sees the images one by one here, as one batch there: in bf16 that rounds otherwise.
    assert torch.allclose(spliced, ordinary, atol=0.02 * float(ordinary.abs().max()))
    check_seam(rough)


def test_the_rows_are_those_of_the_selected_layer(mllm: MLLM, images: list[Image.Image]) -> None:
    embeddings = mllm.encode(images)
    pixels = mllm.processor.image_processor(images, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        states = mllm.model.model.vision_tower(pixels, output_hidden_states=True).hidden_states
    assert mllm.model.config.vision_feature_layer == -2
    assert torch.equal(torch.stack([e.features for e in embeddings]), states[-2][:, 1:])
    assert {tuple(e.features.shape) for e in embeddings} == {(25, 96)}


@pytest.mark.parametrize(
    ("changed", "rows", "width"),
    [
        ({"vision_feature_select_strategy": "full"}, 26, 16),
        ({"vision_feature_layer": -1}, 25, 16),
        ({"vision_feature_layer": [-3, -2]}, 25, 32),
    ],
    ids=["with the class row", "last layer", "two layers side by side"],
)
def test_other_selections_are_carried_too(
    mllm: MLLM, images: list[Image.Image], changed: dict[str, Any], rows: int, width: int
) -> None:
    text = mllm.model.config.text_config.to_dict() | {"num_hidden_layers": 1}
    config = LlavaConfig(
        vision_config=tiny.tower_config(16, 3, 2), text_config=text, image_token_index=mllm.placeholder_id, **changed
    )
    processor = tiny.build_processor(mllm.tokenizer, tiny.TEMPLATE)
    processor.vision_feature_select_strategy = config.vision_feature_select_strategy
    other = MLLM(mllm.adapter, LlavaForConditionalGeneration(config), processor)
    check_seam(other)
    assert other.blank().features.shape == (rows, width)
    ordinary, spliced = logits_both_ways(other, images)
    assert torch.equal(spliced, ordinary)


def test_at_7b_an_image_is_576_rows_of_1024(mllm: MLLM) -> None:
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(LlavaConfig())
    big = MLLM(mllm.adapter, model, mllm.processor)
    states = model.model.vision_tower(torch.empty(2, 3, 336, 336, device="meta"), output_hidden_states=True)
    crossed = states.hidden_states[model.config.vision_feature_layer][:, 1:]
    first, second = mllm.adapter.split(crossed, {})
    assert first.shape == second.shape == (576, 1024)
    assert big.project(Embedding(first)).shape == (mllm.adapter.placeholders(576), 4096)
    assert sum(p.numel() for p in model.parameters()) > 7e9


# --- prompts ----------------------------------------------------------------------------------------------------------


def test_the_prompt_is_the_templates_with_the_token_that_begins_a_text(mllm: MLLM) -> None:
    seen = "<s>USER: " + "<image>" * 7 + "\nHm? ASSISTANT:"
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", 7)) == seen
    assert mllm.tokenizer.decode(mllm.prompt_ids("Hm?", None)) == "<s>USER: Hm? ASSISTANT:"
    assert mllm.tokenizer.decode(mllm.answer_ids("So.")) == "So.</s>"


def test_a_template_that_begins_the_text_itself_begins_it_once(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = mllm.prompt_ids("Hm?", 7)
    monkeypatch.setattr(mllm.processor, "chat_template", "{{ '<s>' }}" + tiny.TEMPLATE)
    assert mllm.prompt_ids("Hm?", 7) == expected
