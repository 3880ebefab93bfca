"""Checks that stop an alignment when something is silently wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from sea_core.alignment.embedding_source import EmbeddingSource, StoredEmbedding
from sea_core.errors import ModelError, RunError
from sea_core.model import numerics, prompts
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun

REFERENCE_TOLERANCE = 1e-2
"""By how much reference log-probabilities may differ, relative to the largest, if that exceeds 1."""
N_REFERENCES = 4
MAX_READINGS, MIN_READ = 16, 0.75
"""Of how many embeddings it is tested whether the model reads them, and the part that it must read; half is chance."""
MODEL_KEYS = ("plugin", "modality", "adapter", "fingerprint", "chat_template")
"""The keys of a run's identity that must be the same in all runs of an alignment."""


def require_same_model(runs: Sequence[EmbeddingRun], fingerprint: str) -> None:
    """Check that the embeddings of all runs were made for this model, through one adapter.

    Raises:
        RunError: an embedding was made for another model, for which it is noise.
    """
    first = runs[0].manifest.identity.model
    for run in runs:
        model = run.manifest.identity.model
        if model.fingerprint != fingerprint:
            checkpoint = run.manifest.metadata.model.checkpoint
            raise RunError(
                f"the embeddings of {run.folder} were made for another model ({checkpoint})",
                hint="Pass that model with --model, or make embeddings for this one: sea optimize, sea encode.",
            )
        differing = [key for key in MODEL_KEYS if getattr(model, key) != getattr(first, key)]
        if differing:
            raise RunError(
                f"{runs[0].folder} and {run.folder} cannot be combined: {', '.join(differing)} differ",
                hint="Use runs of one plugin, modality and model.",
            )


def differing_quantizations(runs: Sequence[EmbeddingRun], quantization: str) -> list[str]:
    """Return a warning for each run whose embeddings were optimised against other weights than are trained.

    Such embeddings can be used: encoder and projector are never quantised, and E lies before them. Real media's
    embeddings do not depend on the language model at all.
    """
    return [
        f"the embeddings of {run.folder} were made with {_weights(found)}, and the model that is trained has "
        f"{_weights(quantization)}: it may read them less well, so compare VSR"
        for run in runs
        if (found := run.manifest.identity.model.quantization) != quantization
        and run.manifest.identity.source == "text"
    ]


def _weights(quantization: str) -> str:
    return f"{quantization} weights" if quantization else "weights that are not quantised"


def require_reading(mllm: MLLM, source: EmbeddingSource, stored: Sequence[StoredEmbedding]) -> None:
    """Check that a model reads embeddings: each makes its own content likelier than the next one does.

    A model that was aligned, or tuned in another way, still reads the embeddings of the model that it came from.

    Raises:
        ModelError: it does not: they were made for another model, for which they are noise.
    """
    synthetic = sorted((e for e in stored if not e.is_real), key=lambda e: e.key)
    asked = [(e, o) for e, o in pairwise(synthetic) if e.record["phrase"] != o.record["phrase"]][:MAX_READINGS]
    read = sum(_prefers_own(mllm, source, embedding, other) for embedding, other in asked)
    if read < MIN_READ * len(asked):
        run = source.runs[0]
        raise ModelError(
            f"the model that is trained does not read the embeddings of {run.folder}: only {read} of {len(asked)} make "
            "their own content likelier than another embedding does",
            hint=f"Train {run.manifest.metadata.model.checkpoint}, or a model that was made from it; or make embeddings"
            " for this one: sea optimize --model MODEL",
        )


@torch.no_grad()
def _prefers_own(mllm: MLLM, source: EmbeddingSource, embedding: StoredEmbedding, other: StoredEmbedding) -> bool:
    """Return whether an embedding makes the answer about its content likelier than another embedding does."""
    goal = prompts.content_goal(mllm.adapter, embedding.extraction)
    answer, found = mllm.answer_ids(goal.answer), []
    for each in (embedding, other):
        features = source.load(each.key)
        batch = mllm.batch([mllm.prompt_ids(goal.prompt, features)], [answer])
        logits, targets, _ = mllm.answer_logits(batch, [features])
        found.append(cross_entropy(logits, targets).item())
    return found[0] < found[1]


def require_finite(value: Any, what: str, step: int) -> None:
    """Raise ModelError for a loss or a gradient norm that is not finite; None passes."""
    if value is not None and not math.isfinite(float(value)):
        raise ModelError(
            f"the {what} is {value} at step {step}",
            hint="Use a smaller learning rate, for example -o trainer.learning_rate=1e-5, or --dtype float32. "
            "Earlier checkpoints are kept.",
        )


def require_finite_weights(model: torch.nn.Module) -> None:
    """Raise ModelError if a weight of the trained model is NaN or infinite: not every one shows in a loss."""
    if name := numerics.first_non_finite(model):
        raise numerics.not_finite_error(f"the trained weights {name}", "Train with a smaller learning rate.")


def require_working_hook(mllm: MLLM, batch: dict[str, Any]) -> None:
    """Check, inside `mllm.inject()`, that other embeddings change the backbone's output for a batch with media.

    Raises:
        ModelError: the forward hook is missing or has no effect. transformers ignores keywords that it does not know.
    """
    batch = {name: value.to(mllm.device) for name, value in batch.items()}
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "sea_lengths", "sea_grids")}
    features = batch["sea_embeds"]
    noise = torch.randn(features.shape, generator=torch.Generator().manual_seed(0)).to(features)
    rms = features.float().square().mean().sqrt().to(features)
    with torch.no_grad():
        original, changed = (
            mllm.hidden(**inputs, sea_embeds=e, use_cache=False) for e in (features, features + rms * noise)
        )
    if not numerics.changes_logits(original, changed):
        raise ModelError(
            f"other embeddings do not change the model's output: training would ignore the {mllm.adapter.noun}",
            hint="Train inside `with mllm.inject():`, and check the plugin: sea plugins check NAME",
        )


def require_fresh_references(trainer: Any) -> None:
    """Compare precomputed reference log-probabilities of a few examples with those of the reference model now.

    Raises:
        ModelError: they are stale. TRL finds them by dataset and model, and may find a file of an earlier run.
    """
    count = min(N_REFERENCES, len(trainer.train_dataset))
    examples = [trainer.train_dataset[i] for i in range(count)]
    batch = {name: value.to(trainer.accelerator.device) for name, value in trainer.data_collator(examples).items()}
    current = torch.cat(trainer.compute_ref_log_probs(trainer.model, batch)).float().cpu()
    stored = torch.cat([batch["ref_chosen_logps"], batch["ref_rejected_logps"]]).float().cpu()
    error = (current - stored).abs().max().item()
    if not error <= REFERENCE_TOLERANCE * max(1.0, current.abs().max().item()):
        raise ModelError(
            f"the precomputed reference log-probabilities are stale: they differ by {error:.3g}",
            hint="Type -o trainer.precompute_ref_log_probs=false. If they are not numbers: --dtype float32.",
        )


def require_change(before: torch.Tensor, after: torch.Tensor) -> None:
    """Raise ModelError if training changed no logit at all: both are of one computation, which rounds alike."""
    if not numerics.changes_logits(before, after):
        raise ModelError(
            "the trained model has the base model's logits: nothing was learnt",
            hint="Train longer, or with a larger -o trainer.learning_rate.",
        )
