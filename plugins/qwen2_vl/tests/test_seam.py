"""The vision seam on the real classes: bit-equal to the ordinary forward, and loud about what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from sea_qwen2_vl.adapter import ImageAdapter
from sea_qwen2_vl.vision import VisionAdapter
from torch import Tensor, nn
from transformers import GenerationConfig

from sea_core import ModelError
from sea_core.embedding import Embedding, stack
from sea_core.mllm import MLLM
from sea_core.probe import check_seam

QUESTIONS = ["What is it?", "Please tell me more about everything that can be seen here.", "Hm?"]


@pytest.fixture(scope="module")
def embeddings(family: MLLM, media: list[Any]) -> list[Embedding]:
    return family.encode(media)


@pytest.fixture
def padding_side(family: MLLM, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda side: monkeypatch.setattr(family.processor.tokenizer, "padding_side", side)


def spliced(mllm: MLLM, inputs: dict[str, Any], embeddings: list[Embedding]) -> Tensor:
    with mllm.replaced(), torch.no_grad():
        logits: Tensor = mllm.model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
        ).logits
    return logits


# --- the seam is the ordinary forward ---------------------------------------------------------------------------------


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
        do_sample=False, max_new_tokens=12, eos_token_id=family.end_id, pad_token_id=family.pad_id, num_beams=beams,
        suppress_tokens=[family.placeholder_id], output_logits=beams == 1, return_dict_in_generate=True,
    )  # fmt: skip
    ordinary = family.model.generate(**inputs, generation_config=settings)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    positions = family.adapter.position_ids(family.model, ids, mask, [e.grid for e in embeddings])
    with family.replaced(embeddings):
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


def test_generation_alone_is_generation_in_a_batch(family: MLLM, embeddings: list[Embedding]) -> None:
    alone = [family.generate([q], [e], 12)[0] for q, e in zip(QUESTIONS, embeddings, strict=True)]
    assert family.generate(QUESTIONS, embeddings, 12) == alone


def test_generation_without_a_medium_is_the_ordinary_one(family: MLLM) -> None:
    ids = torch.tensor([family.prompt_ids("Hm?", None)])
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=8, eos_token_id=family.end_id, pad_token_id=family.pad_id,
        suppress_tokens=[family.placeholder_id],
    )  # fmt: skip
    out = family.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings)
    said = out[0, ids.shape[1] :].tolist()
    assert family.generate(["Hm?"], None, 8) == [[t for t in said if t != family.end_id]]


def test_positions_are_the_librarys(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    inputs = family.media_inputs(QUESTIONS, media)
    names = ("input_ids", "mm_token_type_ids", "attention_mask", family.adapter.key, "second_per_grid_ts")
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
    turned = Embedding(embeddings[0].rows, (t, w, h, *rest))
    inputs = family.media_inputs(QUESTIONS[:1], media[:1])
    assert not torch.equal(spliced(family, inputs, [turned]), spliced(family, inputs, embeddings[:1]))


def test_rows_are_in_the_order_of_the_tokens(family: MLLM, media: list[Any], embeddings: list[Embedding]) -> None:
    """P, row by row, gives the library's own features: also where the encoder sorts its rows by attention window."""
    inputs = family.media_inputs(QUESTIONS, media)
    kind = family.adapter.modality
    pixels = inputs["pixel_values" if kind == "image" else "pixel_values_videos"]
    with torch.no_grad():
        out = getattr(family.backbone, f"get_{kind}_features")(pixels, inputs[family.adapter.key]).pooler_output
        assert all(torch.equal(family.project(e), features) for e, features in zip(embeddings, out, strict=True))


def test_rows_in_plain_text_may_stand_among_the_others(family: MLLM, embeddings: list[Embedding]) -> None:
    prompts = [family.prompt_ids("Hm?", None), family.prompt_ids("Hm?", len(embeddings[1]))]
    with torch.no_grad():
        mixed, _, _ = family.answer_logits(family.batch(prompts, [[family.end_id]] * 2), embeddings[1:2])
        text, _, _ = family.answer_logits(family.batch(prompts[:1], [[family.end_id]]))
        seen, _, _ = family.answer_logits(family.batch(prompts[1:], [[family.end_id]]), embeddings[1:2])
    assert torch.allclose(mixed, torch.cat([text, seen]), atol=1e-4)


def test_the_encoder_is_not_run_and_the_gradient_reaches_each_embedding(
    family: MLLM, embeddings: list[Embedding], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the encoder ran")

    monkeypatch.setattr(family.model.model.visual, "forward", refuse)
    leaves = [e.with_rows(e.rows.clone().requires_grad_()) for e in embeddings]
    batch = family.batch([family.prompt_ids("Hm?", len(e)) for e in leaves], [family.answer_ids("a")] * 3)
    logits, targets, _ = family.answer_logits(batch, leaves)
    nn.functional.cross_entropy(logits, targets).backward()
    assert all(e.rows.grad is not None and e.rows.grad.abs().sum(1).min() > 0 for e in leaves)
    assert all(p.grad is None for p in family.model.parameters())
    with pytest.raises(AssertionError, match="the encoder ran"):
        family.blank()


# --- what does not fit is refused -------------------------------------------------------------------------------------


def test_the_check_that_a_run_begins_with_passes(family: MLLM, mllm: MLLM) -> None:
    check_seam(family)
    check_seam(mllm)


def test_placeholders_shifted_between_rows_are_refused(family: MLLM, embeddings: list[Embedding]) -> None:
    lengths = [len(embeddings[i]) for i in (1, 0, 2)]
    batch = family.batch([family.prompt_ids("Hm?", n) for n in lengths], [[family.end_id]] * 3)
    with pytest.raises(ModelError, match="placeholders, the embeddings need"):
        family.answer_logits(batch, embeddings)


class NoPositions(ImageAdapter):
    def position_ids(self, *_: Any) -> Any:
        return None


class AllPlaceholders(ImageAdapter):
    def placeholders(self, n_rows: int) -> int:
        return n_rows


class LateProjector(ImageAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.lm_head


class OtherToken(ImageAdapter):
    placeholder = "<|video_pad|>"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (NoPositions(), "changes the answer by"),
        (AllPlaceholders(), "not the model's ordinary prompt"),
        (LateProjector(), "called 0 times"),
        (OtherToken(), "0 placeholders in a prompt with one image"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, VisionAdapter) else "says",
)
def test_an_adapter_that_is_wrong_is_told_so(bundled: tuple[Any, Any], wrong: VisionAdapter, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        check_seam(MLLM(wrong, *bundled))
