"""Generation does not depend on the checkpoint's own generation settings; those of the bundled one end an answer."""

from __future__ import annotations

import torch
from torch import nn
from transformers import GenerationConfig

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM

QUESTIONS = ("What is the style of the audio?", "Which activity do you notice here?", "Hm?")


def test_checkpoints_generation_settings_are_ignored(model_copy: MLLM, embeddings: list[Embedding]) -> None:
    """The published 7B models sample, with penalties."""
    expected = model_copy.generate(QUESTIONS, embeddings, 16)
    own = GenerationConfig(
        do_sample=True,
        temperature=2.0,
        repetition_penalty=5.0,
        no_repeat_ngram_size=1,
        num_beams=2,
        bad_words_ids=[[expected[0][0]]],
    )
    model_copy.model.generation_config = own
    assert model_copy.generate(QUESTIONS, embeddings, 16) == expected
    assert model_copy.model.generation_config is own


def test_generated_placeholders_need_no_embedding(model_copy: MLLM, embeddings: list[Embedding]) -> None:
    nn.init.zeros_(model_copy.model.lm_head.weight)
    bias = torch.zeros(model_copy.model.lm_head.out_features)
    bias[model_copy.placeholder_id] = 1.0
    model_copy.model.lm_head.bias = nn.Parameter(bias)
    answers = model_copy.generate(QUESTIONS, embeddings, 3)
    assert [len(answer) for answer in answers] == [3, 3, 3]


def test_the_bundled_model_ends_its_answers_without_sea(mllm: MLLM) -> None:
    prompt = torch.tensor([mllm.prompt_ids("How do I fold a paper hat?", None)])
    answer = mllm.model.generate(prompt, max_new_tokens=64)[0, prompt.shape[1] :].tolist()
    assert answer.index(mllm.end_id) == len(answer) - 1
