"""Shapes of the 7B models, on the meta device, without weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import Qwen2AudioAdapter, count_features


@pytest.fixture(scope="module")
def seven_billion() -> Any:
    with torch.device("meta"):
        return Qwen2AudioForConditionalGeneration(Qwen2AudioConfig())


def test_thirty_seconds_have_750_vectors_of_1280_at_7b(mllm: MLLM, seven_billion: Any) -> None:
    adapter = Qwen2AudioAdapter(seconds=30)
    large = MLLM(adapter, seven_billion, mllm.processor)
    crossed = seven_billion.model.audio_tower(torch.empty(2, 128, 3000, device="meta")).last_hidden_state
    frames = torch.zeros(2, 3000, dtype=torch.long)
    frames[0], frames[1, :1000] = 1, 1
    full, third = adapter.split(crossed, {"feature_attention_mask": frames})
    assert (full.shape, third.shape) == ((750, 1280), (250, 1280))
    assert large.project(Embedding(full)).shape == (adapter.placeholders(750), 4096)
    assert sum(p.numel() for p in seven_billion.parameters()) > 7e9


def test_vectors_are_counted_as_in_transformers(mllm: MLLM) -> None:
    frames = torch.arange(1, 3001)
    _, n_features = mllm.model.model.audio_tower._get_feat_extract_output_lengths(frames)
    assert [count_features(n) for n in frames.tolist()] == n_features.tolist()
