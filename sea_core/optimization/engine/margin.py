"""How sure a token must be before rounding cannot undo it: calibrated on the model itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.types import OptimizationTask

MIN_MARGIN = 0.5
"""Logits. What a bf16 model with six layers needs (2 x 0.18), and a little more."""
TOKENS, TASKS, FIRST = 8, 4, 10


@torch.no_grad()
def calibrate_margin(
    mllm: MLLM, forward: ForwardStrategy, start: Embedding, tasks: Sequence[OptimizationTask]
) -> float:
    """Return the margin that makes the check of a step the same as greedy generation: twice what rounding moves.

    The model generates from a few prompts with its cache, and the forward reads the same tokens at once: how far the
    logits of the likeliest tokens lie apart is what two ways to compute the same number do on this model and device.
    """
    rows = start.perturbed().features.to(mllm.dtype)
    off = 0.0
    for task in tasks[:TASKS]:
        said, logits = mllm.decode(task.prompts[:1], [start.with_features(rows)], TOKENS, logits=True)
        answer = said[0].tolist()[: len(logits)]
        asked = OptimizationTask(task.id, task.prompts[:1], (answer,))
        ours = forward.logits(forward.prepare_batch([asked]), [rows.to(mllm.wide_dtype)])
        theirs = torch.cat(list(logits)).to(ours)
        likely = theirs.topk(min(FIRST, theirs.shape[-1])).indices
        off = max(off, float((ours - theirs).gather(1, likely).abs().max()))
    return max(MIN_MARGIN, round(2 * off, 3))
