"""Training on media of unequal grids: the trainer's loss is the one computed row by row, in both families."""

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


class Kept:
    """Embeddings by key, as `Embeddings` reads them from runs."""

    def __init__(self, embeddings: list[Embedding]) -> None:
        self.embeddings = embeddings

    def load(self, key: str, sha256: str = "") -> Embedding:
        return self.embeddings[int(key)]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_loss_is_the_one_by_hand(family: MLLM, media: list[Any], tmp_path: Path, method: str) -> None:
    mllm = MLLM(family.adapter, copy.deepcopy(family.model), family.processor)
    shown = mllm.encode(media)
    rejected = "Yes." if method == "dpo" else None
    examples = [
        TrainingExample(
            "real", str(i), "What is this?" + " Say it." * i, "No." * (i + 1), rejected, str(i), len(e), "x"
        )
        for i, e in enumerate(shown)
    ] + [TrainingExample("text", "t", "How are you?", "Fine.", rejected)]
    prompts = [mllm.prompt_ids(e.prompt, e.n_features if e.key else None) for e in examples]
    likely = []
    for i, (prompt, example) in enumerate(zip(prompts, examples, strict=True)):
        with torch.no_grad():
            batch = mllm.batch([prompt], [mllm.answer_ids(example.answer)])
            logits, targets, _ = mllm.answer_logits(batch, shown[i : i + 1])
        likely.append(logits.log_softmax(-1).gather(1, targets[:, None])[:, 0])
    by_hand = -torch.cat(likely).mean().item()
    if method == "dpo":  # at the first step, policy and reference are one: log 2, and the SFT term
        by_hand += torch.tensor(2.0).log().item()
    collator = Collator(mllm, Kept(shown))  # type: ignore[arg-type]
    terms = AlignRequest(method, AlignConfig(), ONE_STEP)  # type: ignore[arg-type]
    _, trace = train(mllm, make_dataset(mllm, examples), collator, terms, tmp_path)
    assert trace[0]["loss"] == pytest.approx(by_hand, abs=1e-4)
