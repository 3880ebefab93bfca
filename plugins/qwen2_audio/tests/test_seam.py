"""The audio seam on the real class: bit-equal to the ordinary forward, and loud about everything that does not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sea_core import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_qwen2_audio.adapter import RATE

QUESTIONS = ("What is the style of the audio?", "Which activity do you notice here?", "Hm?")


def hooks(mllm: MLLM) -> int:
    return sum(len(module._forward_pre_hooks) for module in mllm.model.modules())


def logits_both_ways(mllm: MLLM, waves: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Return the logits of the ordinary forward, and of the one from the encoder's own output."""
    inputs = mllm.media_inputs(QUESTIONS, waves)
    assert (inputs["attention_mask"] == 0).any()
    with torch.no_grad():
        ordinary = mllm.model(**inputs).logits
        embeddings = mllm.encode(waves)
        with mllm.inject():
            spliced = mllm.model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **stack(embeddings)
            ).logits
    return ordinary, spliced


# --- the seam is the ordinary forward ---------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_from_the_encoders_own_output_is_bit_equal(
    mllm: MLLM, waves: list[np.ndarray], padding_side: Callable[[str], None], side: str
) -> None:
    padding_side(side)
    ordinary, spliced = logits_both_ways(mllm, waves)
    assert torch.equal(spliced, ordinary)


def test_a_batch_of_bf16_answers_like_the_ordinary_forward(mllm: MLLM, waves: list[np.ndarray]) -> None:
    model, processor = mllm.adapter.load(mllm.adapter.checkpoint, dtype=torch.bfloat16, device="cpu")
    rough = MLLM(mllm.adapter, model, processor)
    ordinary, spliced = logits_both_ways(rough, waves)
    assert {ordinary.dtype, *(e.features.dtype for e in rough.encode(waves))} == {torch.bfloat16}
    assert torch.equal(spliced, ordinary)
    check_seam(rough)


def test_rows_in_plain_text_may_stand_among_the_others(mllm: MLLM, embeddings: list[Embedding]) -> None:
    prompts = [mllm.prompt_ids("Hm?", len(embeddings[0])), mllm.prompt_ids("Hm?", None)]
    mixed, _, _ = mllm.answer_logits(mllm.batch(prompts, [[mllm.end_id]] * 2), embeddings[:1])
    heard, _, _ = mllm.answer_logits(mllm.batch(prompts[:1], [[mllm.end_id]]), embeddings[:1])
    text, _, _ = mllm.answer_logits(mllm.batch(prompts[1:], [[mllm.end_id]]))
    assert torch.allclose(mixed, torch.cat([heard, text]), atol=1e-4)


def test_the_gradient_of_an_answer_reaches_its_own_embedding_only(mllm: MLLM, embeddings: list[Embedding]) -> None:
    leaves = [e.with_features(e.features.clone().requires_grad_()) for e in embeddings]
    batch = mllm.batch([mllm.prompt_ids("Hm?", len(e)) for e in leaves], [mllm.answer_ids("a")] * 3)
    logits, targets, row = mllm.answer_logits(batch, leaves)
    nn.functional.cross_entropy(logits[row != 1], targets[row != 1]).backward()
    for leaf in (leaves[0], leaves[2]):
        assert leaf.features.grad is not None
        assert leaf.features.grad.abs().sum(1).min() > 0
    assert leaves[1].features.grad is None or not leaves[1].features.grad.any()


# --- what does not fit is refused -------------------------------------------------------------------------------------


def test_no_hook_is_left_behind(mllm: MLLM, embeddings: list[Embedding]) -> None:
    before = hooks(mllm)
    with mllm.inject():
        assert hooks(mllm) == before + 1
    with pytest.raises(ModelError), mllm.inject():
        mllm.backbone(input_ids=torch.tensor([[1, 2]]), **stack(embeddings))
    with pytest.raises(KeyboardInterrupt), mllm.inject(embeddings):
        raise KeyboardInterrupt
    with pytest.raises(TypeError):
        mllm.encode([None])
    mllm.encode([np.zeros(RATE, np.float32)])
    assert hooks(mllm) == before


def test_placeholders_shifted_between_rows_are_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    lengths = [len(e) for e in embeddings]
    swapped = [lengths[1], lengths[0], lengths[2]]
    assert swapped != lengths
    batch = mllm.batch([mllm.prompt_ids("Hm?", n) for n in swapped], [[mllm.end_id]] * 3)
    with pytest.raises(ModelError, match=rf"the prompts have \[{swapped[0]}, .* the embeddings need \[{lengths[0]}, "):
        mllm.answer_logits(batch, embeddings)


def test_half_the_embeddings_are_not_taken_for_all(mllm: MLLM, embeddings: list[Embedding]) -> None:
    """Preference batches hold each prompt twice: an embedding for only one half would go to the wrong rows."""
    same = [embeddings[0], embeddings[0].with_features(embeddings[0].features.flip(0))]
    batch = mllm.batch([mllm.prompt_ids("Hm?", len(same[0]))] * 4, [[mllm.end_id]] * 4)
    with pytest.raises(ModelError, match="placeholders"):
        mllm.answer_logits(batch, same)


def test_a_prompt_without_placeholder_is_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    ids = torch.tensor([mllm.prompt_ids("Hm?", None)])
    with pytest.raises(ModelError, match="no placeholder"), mllm.inject():
        mllm.backbone(input_ids=ids, **stack(embeddings[:1]))
    with pytest.raises(ModelError, match="no prompt had a placeholder"), mllm.inject(embeddings[:1]):
        mllm.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, pad_token_id=mllm.pad_id
        )


def test_embeddings_without_ids_are_refused(mllm: MLLM, embeddings: list[Embedding]) -> None:
    with pytest.raises(ModelError, match="without input_ids"), mllm.inject():
        mllm.backbone(inputs_embeds=torch.zeros(1, 4, 128), **stack(embeddings[:1]))
