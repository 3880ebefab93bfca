"""What is specific to the vision seam: positions, grids and the order of features. The rest is in the contract."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GenerationConfig

from sea_core import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_qwen2_vl.adapter import ImageAdapter

QUESTIONS = ["What is it?", "Please tell me more about everything that can be seen here.", "Hm?"]


@pytest.fixture(scope="module")
def embeddings(family: MLLM, media: list[Any]) -> list[Embedding]:
    return family.encode(media)


def injected_logits(mllm: MLLM, inputs: dict[str, Any], embeddings: list[Embedding]) -> Tensor:
    with mllm.inject(), torch.no_grad():
        logits: Tensor = mllm.model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
        ).logits
    return logits


def test_generation_without_media_is_the_ordinary_one(family: MLLM) -> None:
    ids = torch.tensor([family.prompt_ids("Hm?", None)])
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=8,
        eos_token_id=family.end_id,
        pad_token_id=family.pad_id,
        suppress_tokens=[family.placeholder_id],
    )
    out = family.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings)
    answer = out[0, ids.shape[1] :].tolist()
    assert family.generate(["Hm?"], None, 8) == [[t for t in answer if t != family.end_id]]


def test_positions_are_those_of_transformers(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    inputs = family.media_inputs(QUESTIONS, media)
    names = ("input_ids", "mm_token_type_ids", "attention_mask", family.adapter.grid_key, "second_per_grid_ts")
    expected, _ = family.backbone.get_rope_index(**{name: inputs[name] for name in names if name in inputs})
    positions = family.adapter.position_ids(
        family.model, inputs["input_ids"], inputs["attention_mask"], [e.grid for e in embeddings]
    )
    assert positions.shape == (3, *inputs["input_ids"].shape)
    assert torch.equal(positions, expected)
    assert not torch.equal(positions[1], positions[2])


def test_grid_determines_the_positions(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    """The same features on another grid are another picture; losing the grid would be a silent fault."""
    t, h, w, *rest = embeddings[0].grid
    transposed = Embedding(embeddings[0].features, (t, w, h, *rest))
    inputs = family.media_inputs(QUESTIONS[:1], media[:1])
    assert not torch.equal(
        injected_logits(family, inputs, [transposed]), injected_logits(family, inputs, embeddings[:1])
    )


def test_features_are_in_the_order_of_the_tokens(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    """P gives the features of transformers in their order, also if the encoder sorts by attention window."""
    inputs = family.media_inputs(QUESTIONS, media)
    kind = family.adapter.modality
    pixels = inputs["pixel_values" if kind == "image" else "pixel_values_videos"]
    with torch.no_grad():
        out = getattr(family.backbone, f"get_{kind}_features")(pixels, inputs[family.adapter.grid_key]).pooler_output
        for embedding, features in zip(embeddings, out, strict=True):
            # One medium at a time rounds otherwise than all at once on some processors.
            torch.testing.assert_close(family.project(embedding), features)
            assert not torch.allclose(family.project(embedding).flip(0), features)


class NoPositions(ImageAdapter):
    def position_ids(self, *_: Any) -> Any:
        return None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_missing_positions_fail_the_selfcheck(bundled: tuple[Any, Any], dtype: torch.dtype) -> None:
    model, processor = bundled
    with pytest.raises(ModelError, match="changes the hidden states by"):
        check_seam(MLLM(NoPositions(), copy.deepcopy(model).to(dtype), processor))
