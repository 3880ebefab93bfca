"""The check that a run begins with: what is wrong with an adapter or a model is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sea_core import ModelError
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


def test_the_bundled_model_passes_its_check(mllm: MLLM) -> None:
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


class TooFewRows(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e[:20] for e in super().split(crossed, inputs)]


class ShuffledRows(Qwen2AudioAdapter):
    def split(self, crossed: Tensor, inputs: Any) -> list[Tensor]:
        return [e + torch.randn_like(e) for e in super().split(crossed, inputs)]


class EarlyProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.model.audio_tower.layer_norm


class LateProjector(Qwen2AudioAdapter):
    def projector(self, model: Any) -> nn.Module:
        return model.lm_head


@pytest.mark.parametrize(
    ("adapter", "complaint"),
    [
        (WrongPlaceholder(), "not the model's ordinary prompt"),
        (NoPlaceholder(), "0 placeholders in a prompt with one audio"),
        (ManyTokens(), "not the model's ordinary prompt"),
        (TooFewPlaceholders(), "not the model's ordinary prompt"),
        (TooFewRows(), "not the model's ordinary prompt"),
        (ShuffledRows(), "changes the logits by"),
        (EarlyProjector(), r"the projector gives \(50, 96\)"),
        (LateProjector(), "called 0 times"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Qwen2AudioAdapter) else "says",
)
def test_an_adapter_that_is_wrong_is_told_so(mllm: MLLM, adapter: Qwen2AudioAdapter, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as error:
        check_seam(MLLM(adapter, mllm.model, mllm.processor))
    assert "adapter's" in error.value.hint or "check the adapter" in error.value.hint


def test_a_model_that_ignores_its_media_is_told_so(spoilt: MLLM) -> None:
    nn.init.zeros_(spoilt.model.model.multi_modal_projector.linear.weight)
    with pytest.raises(ModelError, match="this model ignores its audio"):
        check_seam(spoilt)


def test_an_end_token_that_is_not_there_is_told(mllm: MLLM) -> None:
    class Endless(Qwen2AudioAdapter):
        def end_token(self, processor: Any) -> str:
            return "<|never|>"

    with pytest.raises(ModelError, match=r"no token '<\|never\|>'"):
        MLLM(Endless(), mllm.model, mllm.processor).answer_ids("a")
