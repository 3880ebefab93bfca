"""Generation from embeddings, whatever the checkpoint's own settings are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import GenerationConfig

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM

QUESTIONS = ("What is the style of the audio?", "Which activity do you notice here?", "Hm?")


def test_beam_search_repeats_each_embedding_with_its_row(
    mllm: MLLM, waves: list[np.ndarray], embeddings: list[Embedding], padding_side: Callable[[str], None]
) -> None:
    padding_side("left")
    inputs = mllm.media_inputs(QUESTIONS, waves)
    beams = GenerationConfig(
        num_beams=2, do_sample=False, max_new_tokens=12, eos_token_id=mllm.end_id, pad_token_id=mllm.pad_id
    )
    with mllm.inject(embeddings):
        out = mllm.model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], generation_config=beams
        )
    ordinary = mllm.model.generate(**inputs, generation_config=beams)
    assert torch.equal(out, ordinary)
    assert len({mllm.detokenize(row) for row in out[:, inputs["input_ids"].shape[1] :].tolist()}) == 3


def test_the_encoder_is_not_run(mllm: MLLM, embeddings: list[Embedding], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the encoder ran")

    monkeypatch.setattr(mllm.model.model.audio_tower, "forward", refuse)
    assert len(mllm.generate(QUESTIONS, embeddings, 4)) == 3
    with pytest.raises(AssertionError, match="the encoder ran"):
        mllm.blank()


def test_the_checkpoints_own_generation_settings_are_put_aside(spoilt: MLLM, embeddings: list[Embedding]) -> None:
    """The released 7B models sample, with penalties."""
    expected = spoilt.generate(QUESTIONS, embeddings, 16)
    own = GenerationConfig(
        do_sample=True,
        temperature=2.0,
        repetition_penalty=5.0,
        no_repeat_ngram_size=1,
        num_beams=2,
        bad_words_ids=[[expected[0][0]]],
    )
    spoilt.model.generation_config = own
    assert spoilt.generate(QUESTIONS, embeddings, 16) == expected
    assert spoilt.model.generation_config is own


def test_a_model_that_says_the_placeholder_asks_for_no_embedding(spoilt: MLLM, embeddings: list[Embedding]) -> None:
    nn.init.zeros_(spoilt.model.lm_head.weight)
    bias = torch.zeros(spoilt.model.lm_head.out_features)
    bias[spoilt.placeholder_id] = 1.0
    spoilt.model.lm_head.bias = nn.Parameter(bias)
    answers = spoilt.generate(QUESTIONS, embeddings, 3)
    assert [len(answer) for answer in answers] == [3, 3, 3]
