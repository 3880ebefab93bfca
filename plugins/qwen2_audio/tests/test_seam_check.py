"""The seam check before a run detects faulty adapters and models."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sea_core import ModelError
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


def test_bundled_model_passes(mllm: MLLM) -> None:
    check_seam(mllm)


class WrongPlaceholder(Qwen2AudioAdapter):
    placeholder = "<|audio_bos|>"


class NoPlaceholder(Qwen2AudioAdapter):
    placeholder = "<|IMAGE|>"


class ManyTokens(Qwen2AudioAdapter):
    placeholder = "Audio"


class TooFewPlaceholders(Qwen2AudioAdapter):
    def placeholders(self, n_features: int) -> int:
        return n_features // 2


class TooFewVectors(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e[:20] for e in super().split(crossed, inputs)]


class NoisyVectors(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e + torch.randn_like(e) for e in super().split(crossed, inputs)]


class EarlyProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.model.audio_tower.layer_norm


class LateProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.lm_head


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (WrongPlaceholder(), "not the model's ordinary prompt"),
        (NoPlaceholder(), "0 placeholders in a prompt with one audio"),
        (ManyTokens(), "not the model's ordinary prompt"),
        (TooFewPlaceholders(), "not the model's ordinary prompt"),
        (TooFewVectors(), "not the model's ordinary prompt"),
        (NoisyVectors(), "changes the hidden states by"),
        (EarlyProjector(), r"the projector gives \(50, 96\)"),
        (LateProjector(), "called 0 times"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Qwen2AudioAdapter) else "message",
)
def test_faulty_adapter_is_an_error(mllm: MLLM, adapter: Qwen2AudioAdapter, message: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        check_seam(MLLM(adapter, mllm.model, mllm.processor))
    assert "adapter's" in error.value.hint or "check the adapter" in error.value.hint


def test_model_that_ignores_its_media_is_an_error(model_copy: MLLM) -> None:
    nn.init.zeros_(model_copy.model.model.multi_modal_projector.linear.weight)
    with pytest.raises(ModelError, match="this model ignores its audio"):
        check_seam(model_copy)


def test_unknown_end_token_is_an_error(mllm: MLLM) -> None:
    class UnknownEndToken(Qwen2AudioAdapter):
        def end_token(self, processor: Any) -> str:
            return "<|never|>"

    with pytest.raises(ModelError, match=r"no token '<\|never\|>'"):
        MLLM(UnknownEndToken(), mllm.model, mllm.processor).answer_ids("a")
