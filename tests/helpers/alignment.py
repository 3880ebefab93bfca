"""Training examples and arguments that several tests of alignment share."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.manifests import embedding_manifest
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.dataset import TrainingExample, make_dataset
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.export import LOADER
from sea_core.alignment.mixture import mix
from sea_core.data.examples import PreparedExample
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingRun

ONE_STEP = {"max_steps": 1, "logging_steps": 1, "save_steps": 100, "learning_rate": 1e-2}
TEN = {"max_steps": 10, "logging_steps": 2, "save_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 1e-2}


def random_run(folder: Path, mllm: MLLM, examples: Sequence[PreparedExample]) -> EmbeddingRun:
    """Return a run over prepared examples, with random embeddings of unequal lengths."""
    run = start_run(folder, mllm)
    blank = mllm.blank()
    with run.writing():
        for i, example in enumerate(examples):
            noise = torch.randn(blank.features.shape, generator=torch.Generator().manual_seed(i))
            embedding = Embedding((blank.features + blank.rms * noise)[: 4 + i % 3])
            store_result(run, example, OptimizationResult(example.id, "succeeded", "", 1, 0.0, 1.0, 0.1, embedding))
    return run


def start_run(folder: Path, mllm: MLLM) -> EmbeddingRun:
    """Return an empty run of the bundled audio model."""
    return EmbeddingRun.start(folder, embedding_manifest(8, adapter=mllm.adapter, plugin="qwen2_audio"))


def three_kinds(
    mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, method: str
) -> tuple[EmbeddingSource, list[TrainingExample]]:
    """Return one synthetic, one real and one text example, of unequal lengths."""
    embeddings = EmbeddingSource([run, media_run])
    mixture = mix(mllm.adapter, embeddings, (), method, AlignConfig(held_out=0))  # type: ignore[arg-type]
    return embeddings, [next(e for e in mixture.examples if e.kind == kind) for kind in ("synthetic", "real", "text")]


def log_likelihoods(mllm: MLLM, embeddings: EmbeddingSource, example: TrainingExample, answer: str) -> torch.Tensor:
    """Return the log-likelihood of each answer token, computed without padding and trainer: (answer tokens,)."""
    prompt = mllm.prompt_ids(
        example.prompt, Embedding.of_size(example.n_features, example.grid) if example.key else None
    )
    shown = [embeddings.load(example.key)] if example.key else []
    with torch.no_grad():
        logits, targets, _ = mllm.answer_logits(mllm.batch([prompt], [mllm.answer_ids(answer)]), shown)
    return logits.log_softmax(-1).gather(1, targets[:, None])[:, 0]


def train_arguments(mllm: MLLM, run: EmbeddingRun) -> tuple[MLLM, Any, Collator, AlignRequest]:
    embeddings, request = EmbeddingSource([run]), AlignRequest("sft", AlignConfig(), TEN)
    examples = mix(mllm.adapter, embeddings, (), "sft", request.config).examples
    return mllm, make_dataset(mllm, examples), Collator(mllm, embeddings), request


def load_in_this_process(job: dict[str, Any]) -> dict[str, Any]:
    """Load exports as the fresh process does, which takes seconds to import the libraries that this one has."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["-c", json.dumps(job)])
        exec(compile(LOADER, "loader", "exec"), {"__name__": "loader"})
    loaded: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return loaded
