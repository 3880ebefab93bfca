"""Training on media of different grids: the trainer's loss is the one computed example by example."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.dataset import TrainingExample, make_dataset
from sea_core.alignment.train import train
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM

ONE_STEP = {"max_steps": 1, "logging_steps": 1, "save_strategy": "no"}


class FixedEmbeddings:
    """Embeddings by key, like `EmbeddingSource` without runs."""

    def __init__(self, embeddings: list[Embedding]) -> None:
        self.embeddings = embeddings

    def load(self, key: str, sha256: str = "") -> Embedding:
        return self.embeddings[int(key)]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_loss_equals_the_one_computed_by_hand(family: MLLM, media: list[Any], tmp_path: Path, method: str) -> None:
    mllm = MLLM(family.adapter, copy.deepcopy(family.model), family.processor)
    embeddings = mllm.encode(media)
    rejected = "Yes." if method == "dpo" else None
    examples = [
        TrainingExample(
            "real", str(i), "What is this?" + " Say it." * i, "No." * (i + 1), rejected, str(i), len(e), "x"
        )
        for i, e in enumerate(embeddings)
    ] + [TrainingExample("text", "t", "How are you?", "Fine.", rejected)]
    prompts = [mllm.prompt_ids(e.prompt, Embedding.of_size(e.n_features, e.grid) if e.key else None) for e in examples]
    log_likelihoods = []
    for i, (prompt, example) in enumerate(zip(prompts, examples, strict=True)):
        with torch.no_grad():
            batch = mllm.batch([prompt], [mllm.answer_ids(example.answer)])
            logits, targets, _ = mllm.answer_logits(batch, embeddings[i : i + 1])
        log_likelihoods.append(logits.log_softmax(-1).gather(1, targets[:, None])[:, 0])
    expected = -torch.cat(log_likelihoods).mean().item()
    if method == "dpo":  # in the first step policy and reference are equal: log 2, plus the SFT term
        expected += torch.tensor(2.0).log().item()
    collator = Collator(mllm, FixedEmbeddings(embeddings))  # type: ignore[arg-type]
    request = AlignRequest(method, AlignConfig(), ONE_STEP)  # type: ignore[arg-type]
    _, trace = train(mllm, make_dataset(mllm, examples), collator, request, tmp_path)
    assert trace[0]["loss"] == pytest.approx(expected, abs=1e-4)
