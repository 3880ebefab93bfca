"""Attention in training on a CPU: eager where that is faster, the same loss, and the model's own again afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.alignment import ONE_STEP, three_kinds
from helpers.fixtures import in_dtype
from sea_core.alignment import attention
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignRequest, Method
from sea_core.alignment.dataset import make_dataset
from sea_core.alignment.train import train
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun


def implementation(mllm: MLLM) -> Any:
    return mllm.adapter.language_model(mllm.model).config._attn_implementation


@pytest.mark.parametrize("method", ["sft", "dpo"])
@pytest.mark.parametrize(
    ("dtype", "longest", "expected"),
    [(torch.bfloat16, 256, "eager"), (torch.bfloat16, 3, "sdpa"), (torch.float32, 256, "sdpa")],
)
def test_short_examples_in_half_precision_are_attended_to_eagerly(
    spoilt: MLLM,
    run: EmbeddingRun,
    media_run: EmbeddingRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: Method,
    dtype: torch.dtype,
    longest: int,
    expected: str,
) -> None:
    monkeypatch.setattr(attention, "LONGEST", longest)
    mllm = in_dtype(spoilt, dtype)
    embeddings, examples = three_kinds(mllm, run, media_run, method)
    data, collator = make_dataset(mllm, examples), Collator(mllm, embeddings)
    seen: list[Any] = []
    request = AlignRequest(method, trainer=ONE_STEP)
    train(mllm, data, collator, request, tmp_path, on_step=lambda *_: seen.append(implementation(mllm)))
    assert seen == [expected]
    assert implementation(mllm) == "sdpa"


def test_the_loss_is_that_of_sdpa(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    losses = []
    for longest in (256, 0):
        monkeypatch.setattr(attention, "LONGEST", longest)
        mllm = in_dtype(spoilt, torch.bfloat16)
        data, collator = make_dataset(mllm, examples), Collator(mllm, embeddings)
        _, trace = train(mllm, data, collator, AlignRequest("sft", trainer=ONE_STEP), tmp_path / str(longest))
        losses.append(trace[0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
