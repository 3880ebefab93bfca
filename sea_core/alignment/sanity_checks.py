"""What would spoil an alignment without a word, told in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from sea_core.errors import ModelError, RunError
from sea_core.model import numerics
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun

BELONGS = ("plugin", "modality", "adapter", "fingerprint")
"""What of a run's identity says whose embeddings it holds."""


def require_same_model(runs: Sequence[EmbeddingRun], fingerprint: str) -> None:
    """Check that every run's embeddings were made for this model and through one adapter.

    Raises:
        RunError: an embedding is read by the model that it was made for only: another one would be trained on noise.
    """
    first = runs[0].manifest.identity.model
    for run in runs:
        told = run.manifest.identity.model
        if told.fingerprint != fingerprint:
            made_for = run.manifest.metadata.model.checkpoint
            raise RunError(
                f"the embeddings of {run.folder} were made for another model ({made_for})",
                hint="Give that model with --model; or make embeddings for this one: sea optimize, sea encode.",
            )
        differing = [name for name in BELONGS if getattr(told, name) != getattr(first, name)]
        if differing:
            raise RunError(
                f"{runs[0].folder} and {run.folder} do not belong together: {', '.join(differing)} differ",
                hint="Runs that are aligned together come from one plugin, modality and model.",
            )


def require_finite(value: Any, what: str, step: int) -> None:
    """Raise ModelError for a loss or a gradient that is not a number."""
    if value is not None and not math.isfinite(float(value)):
        raise ModelError(
            f"the {what} is {value} at step {step}",
            hint="Try a smaller step size, for example -o trainer.learning_rate=1e-5, or --dtype float32. "
            "What was saved before is untouched.",
        )


def require_working_hook(mllm: MLLM, batch: dict[str, Any]) -> None:
    """Check inside `mllm.replaced()`, on a batch with media, that another embedding changes what the backbone gives.

    Raises:
        ModelError: the hook is not there or does nothing: transformers ignores keywords that it does not know.
    """
    batch = {name: value.to(mllm.device) for name, value in batch.items()}
    asked = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "use_cache": False}
    shown = {name: batch[name] for name in ("sea_lengths", "sea_grids")}
    rows = batch["sea_embeds"]
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(0)).to(rows)
    with torch.no_grad():
        here, there = (
            mllm.backbone(**asked, **shown, sea_embeds=e).last_hidden_state
            for e in (rows, rows + rows.float().square().mean().sqrt().to(rows) * noise)
        )
    if torch.equal(here, there):
        raise ModelError(
            f"another embedding changes nothing: the {mllm.adapter.noun} would be ignored in training",
            hint="Train inside `with mllm.replaced():`, and check the plugin: sea plugins check NAME",
        )


def require_fresh_references(trainer: Any) -> None:
    """Compare precomputed reference log-probabilities of a few rows with what the reference model gives now.

    Raises:
        ModelError: they are stale. TRL keys them by the set and the model, and a file of another day may be picked up.
    """
    rows = [trainer.train_dataset[i] for i in range(min(4, len(trainer.train_dataset)))]
    batch = {name: value.to(trainer.accelerator.device) for name, value in trainer.data_collator(rows).items()}
    found = torch.cat(trainer.compute_ref_log_probs(trainer.model, batch)).float().cpu()
    stored = torch.cat([batch["ref_chosen_logps"], batch["ref_rejected_logps"]]).float().cpu()
    off = (found - stored).abs().max().item()
    if not off <= 1e-2 * max(1.0, found.abs().max().item()):
        raise ModelError(
            f"the precomputed reference log-probabilities are stale: off by {off:.3g}",
            hint="Delete the folder `dataset` in --out, or leave trainer.precompute_ref_log_probs out.",
        )


def require_change(before: torch.Tensor, after: torch.Tensor, dtype: torch.dtype) -> None:
    """Raise ModelError where training has changed no logit by more than rounding."""
    moved = numerics.max_difference(after, before)
    if not moved > numerics.max_rounding(after, dtype):
        raise ModelError(
            f"the trained model gives the base model's logits (they differ by {moved:.3g}): nothing was learnt",
            hint="Train longer, or with a larger -o trainer.learning_rate.",
        )
