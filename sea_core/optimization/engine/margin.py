"""`-o margin=auto`: the logit margin that rounding cannot undo, calibrated on the model itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.types import OptimizationTask

MIN_MARGIN = 0.5
"""In logits: what a bf16 model of six layers needs (2 x 0.18), and a little more."""
MAX_TASKS = 4
N_TOKENS = 8
"""Tokens to generate for each task."""
TOP_K = 10
"""How many of the likeliest tokens are compared."""


@torch.no_grad()
def calibrate_margin(
    mllm: MLLM, forward: ForwardStrategy, start: Embedding, tasks: Sequence[OptimizationTask]
) -> float:
    """Return the margin at which success in a step implies the same answer in greedy generation, at least MIN_MARGIN.

    It is twice the largest difference between the logits of generation with a cache and those of the forward strategy
    on the same tokens: two ways to compute the same numbers on this model and device.
    """
    features = start.perturbed().features.to(mllm.dtype)
    differences = [
        _max_logit_difference(mllm, forward, start.with_features(features), task) for task in tasks[:MAX_TASKS]
    ]
    return max(MIN_MARGIN, round(2 * max(differences, default=0.0), 3))


def _max_logit_difference(mllm: MLLM, forward: ForwardStrategy, embedding: Embedding, task: OptimizationTask) -> float:
    """Return how far the logits of the likeliest tokens differ between generation and the forward strategy."""
    generated, step_logits = mllm.decode(task.prompts[:1], [embedding], N_TOKENS, logits=True)
    answer = generated[0].tolist()[: len(step_logits)]
    forced = OptimizationTask(task.id, task.prompts[:1], (answer,))
    ours: Tensor = forward.logits(forward.prepare_batch([forced]), [embedding.features.to(mllm.wide_dtype)])
    theirs = torch.cat(list(step_logits)).to(ours)
    likeliest = theirs.topk(min(TOP_K, theirs.shape[-1])).indices
    return float((ours - theirs).gather(1, likeliest).abs().max())
