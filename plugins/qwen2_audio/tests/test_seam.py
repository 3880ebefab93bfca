"""Injection on the real class: what does not fit raises an error. The rest is in the adapter contract."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sea_core import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import RATE

QUESTIONS = ("What is the style of the audio?", "Which activity do you notice here?", "Hm?")


def count_hooks(mllm: MLLM) -> int:
    return sum(len(module._forward_pre_hooks) for module in mllm.model.modules())


def test_gradient_of_an_answer_reaches_its_own_embedding_only(mllm: MLLM, embeddings: list[Embedding]) -> None:
    parameters = [e.with_features(e.features.clone().requires_grad_()) for e in embeddings]
    batch = mllm.batch([mllm.prompt_ids("Hm?", e) for e in parameters], [mllm.answer_ids("a")] * 3)
    logits, targets, index = mllm.answer_logits(batch, parameters)
    nn.functional.cross_entropy(logits[index != 1], targets[index != 1]).backward()
    for parameter in (parameters[0], parameters[2]):
        assert parameter.features.grad is not None
        assert parameter.features.grad.abs().sum(1).min() > 0
    assert parameters[1].features.grad is None or not parameters[1].features.grad.any()


def test_hooks_are_removed_after_errors(mllm: MLLM, embeddings: list[Embedding]) -> None:
    before = count_hooks(mllm)
    with mllm.inject():
        assert count_hooks(mllm) == before + 1
    with pytest.raises(ModelError), mllm.inject():
        mllm.backbone(input_ids=torch.tensor([[1, 2]]), **stack(embeddings))
    with pytest.raises(KeyboardInterrupt), mllm.inject(embeddings):
        raise KeyboardInterrupt
    with pytest.raises(TypeError):
        mllm.encode([None])
    mllm.encode([np.zeros(RATE, np.float32)])
    assert count_hooks(mllm) == before


def test_placeholders_shifted_between_prompts_are_rejected(mllm: MLLM, embeddings: list[Embedding]) -> None:
    lengths = [len(e) for e in embeddings]
    swapped = [lengths[1], lengths[0], lengths[2]]
    assert swapped != lengths
    batch = mllm.batch([mllm.prompt_ids("Hm?", Embedding.of_size(n)) for n in swapped], [[mllm.end_id]] * 3)
    with pytest.raises(ModelError, match=rf"the prompts have \[{swapped[0]}, .* the embeddings need \[{lengths[0]}, "):
        mllm.answer_logits(batch, embeddings)


def test_one_embedding_for_two_prompts_is_rejected(mllm: MLLM, embeddings: list[Embedding]) -> None:
    """Preference batches have each prompt twice; embeddings for only one half would go to the wrong prompts."""
    two = [embeddings[0], embeddings[0].with_features(embeddings[0].features.flip(0))]
    batch = mllm.batch([mllm.prompt_ids("Hm?", two[0])] * 4, [[mllm.end_id]] * 4)
    with pytest.raises(ModelError, match="placeholders"):
        mllm.answer_logits(batch, two)


def test_prompt_without_placeholder_is_rejected(mllm: MLLM, embeddings: list[Embedding]) -> None:
    ids = torch.tensor([mllm.prompt_ids("Hm?", None)])
    with pytest.raises(ModelError, match="no placeholder"), mllm.inject():
        mllm.backbone(input_ids=ids, **stack(embeddings[:1]))
    with pytest.raises(ModelError, match="no prompt had a placeholder"), mllm.inject(embeddings[:1]):
        mllm.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, pad_token_id=mllm.pad_id
        )


def test_embeddings_without_input_ids_are_rejected(mllm: MLLM, embeddings: list[Embedding]) -> None:
    with pytest.raises(ModelError, match="without input_ids"), mllm.inject():
        mllm.backbone(inputs_embeds=torch.zeros(1, 4, 128), **stack(embeddings[:1]))
