"""The vision seam on the real classes: bit-equal to the ordinary forward, in the library's positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GenerationConfig

from sea_core import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_qwen2_vl.adapter import ImageAdapter

QUESTIONS = ["What is it?", "Please tell me more about everything that can be seen here.", "Hm?"]


@pytest.fixture(scope="module")
def embeddings(family: MLLM, media: list[Any]) -> list[Embedding]:
    return family.encode(media)


@pytest.fixture
def padding_side(family: MLLM, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda side: monkeypatch.setattr(family.processor.tokenizer, "padding_side", side)


def spliced(mllm: MLLM, inputs: dict[str, Any], embeddings: list[Embedding]) -> Tensor:
    with mllm.inject(), torch.no_grad():
        logits: Tensor = mllm.model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
        ).logits
    return logits


@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_from_the_encoders_own_output_is_bit_equal(
    family: MLLM, media: list[Any], embeddings: list[Embedding], padding_side: Callable[[str], None], side: str
) -> None:
    padding_side(side)
    inputs = family.media_inputs(QUESTIONS, media)
    assert (inputs["attention_mask"] == 0).any()
    assert len({e.grid for e in embeddings}) == 3
    with torch.no_grad():
        ordinary = family.model(**inputs).logits
    assert torch.equal(spliced(family, inputs, embeddings), ordinary)


@pytest.mark.parametrize("beams", [1, 2])
def test_generation_from_the_encoders_own_output_is_the_same(
    family: MLLM, media: list[Any], embeddings: list[Embedding], padding_side: Callable[[str], None], beams: int
) -> None:
    padding_side("left")
    inputs = family.media_inputs(QUESTIONS, media)
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=12,
        eos_token_id=family.end_id,
        pad_token_id=family.pad_id,
        num_beams=beams,
        suppress_tokens=[family.placeholder_id],
        output_logits=beams == 1,
        return_dict_in_generate=True,
    )
    ordinary = family.model.generate(**inputs, generation_config=settings)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    positions = family.adapter.position_ids(family.model, ids, mask, [e.grid for e in embeddings])
    with family.inject(embeddings):
        out = family.model.generate(
            input_ids=ids, attention_mask=mask, position_ids=positions, generation_config=settings
        )
    assert torch.equal(out.sequences, ordinary.sequences)
    if beams == 1:
        assert all(torch.equal(a, b) for a, b in zip(out.logits, ordinary.logits, strict=True))
        answers = [
            [t for t in row if t not in (family.end_id, family.pad_id)]
            for row in out.sequences[:, ids.shape[1] :].tolist()
        ]
        assert family.generate(QUESTIONS, embeddings, 12) == answers


def test_generation_without_a_medium_is_the_ordinary_one(family: MLLM) -> None:
    ids = torch.tensor([family.prompt_ids("Hm?", None)])
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=8,
        eos_token_id=family.end_id,
        pad_token_id=family.pad_id,
        suppress_tokens=[family.placeholder_id],
    )
    out = family.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings)
    said = out[0, ids.shape[1] :].tolist()
    assert family.generate(["Hm?"], None, 8) == [[t for t in said if t != family.end_id]]


def test_positions_are_the_librarys(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    inputs = family.media_inputs(QUESTIONS, media)
    names = ("input_ids", "mm_token_type_ids", "attention_mask", family.adapter.grid_key, "second_per_grid_ts")
    expected, _ = family.backbone.get_rope_index(**{name: inputs[name] for name in names if name in inputs})
    got = family.adapter.position_ids(
        family.model, inputs["input_ids"], inputs["attention_mask"], [e.grid for e in embeddings]
    )
    assert got.shape == (3, *inputs["input_ids"].shape)
    assert torch.equal(got, expected)
    assert not torch.equal(got[1], got[2])


def test_the_grid_decides_the_positions(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    """The same rows on another grid are another picture; a lost grid would be a silent fault."""
    t, h, w, *rest = embeddings[0].grid
    turned = Embedding(embeddings[0].features, (t, w, h, *rest))
    inputs = family.media_inputs(QUESTIONS[:1], media[:1])
    assert not torch.equal(spliced(family, inputs, [turned]), spliced(family, inputs, embeddings[:1]))


def test_rows_are_in_the_order_of_the_tokens(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    """P, row by row, gives the library's own features: also where the encoder sorts its rows by attention window."""
    inputs = family.media_inputs(QUESTIONS, media)
    kind = family.adapter.modality
    pixels = inputs["pixel_values" if kind == "image" else "pixel_values_videos"]
    with torch.no_grad():
        out = getattr(family.backbone, f"get_{kind}_features")(pixels, inputs[family.adapter.grid_key]).pooler_output
        assert all(torch.equal(family.project(e), features) for e, features in zip(embeddings, out, strict=True))


def test_rows_in_plain_text_may_stand_among_the_others(family: MLLM, embeddings: list[Embedding]) -> None:
    prompts = [family.prompt_ids("Hm?", None), family.prompt_ids("Hm?", len(embeddings[1]))]
    with torch.no_grad():
        mixed, _, _ = family.answer_logits(family.batch(prompts, [[family.end_id]] * 2), embeddings[1:2])
        text, _, _ = family.answer_logits(family.batch(prompts[:1], [[family.end_id]]))
        seen, _, _ = family.answer_logits(family.batch(prompts[1:], [[family.end_id]]), embeddings[1:2])
    assert torch.allclose(mixed, torch.cat([text, seen]), atol=1e-4)


class NoPositions(ImageAdapter):
    def position_ids(self, *_: Any) -> Any:
        return None


def test_lost_positions_are_told_before_a_run(bundled: tuple[Any, Any]) -> None:
    with pytest.raises(ModelError, match="changes the logits by"):
        check_seam(MLLM(NoPositions(), *bundled))
