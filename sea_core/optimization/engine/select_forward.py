"""Packed where the family allows it, plain where it does not; and never packed on trust."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.activation_checkpointing import (
    activation_checkpointing,
    is_out_of_memory,
    out_of_memory_error,
)
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed, PackingNotSupported
from sea_core.optimization.engine.types import OptimizationTask

ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}
"""How far packed and plain numbers may lie apart, relative; in other dtypes 0.1. A wrong mask makes 0.3."""
NOISE = 3
"""Or so many times what a shake of E by its own rounding does: in bf16, a deep model's gradient moves by a third."""


def select_forward(
    mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask], *, packed: bool = True, compiled: bool = False
) -> ForwardStrategy:
    """Return the forward for these tasks.

    Raises:
        ModelError: packed and plain sequences give different numbers, so one of them is wrong.
    """
    plain = Sequential(mllm, start)
    if not packed or not tasks:
        return plain
    try:
        found = Packed(mllm, start, tasks)
    except PackingNotSupported as reason:
        plain.fallback_reason = str(reason)
        return plain
    longest = max(tasks, key=lambda task: sum(map(len, task.answers)))
    check_equivalence(found, plain, longest)
    if compiled:
        found.compile()
    return found


def check_equivalence(found: Packed, plain: ForwardStrategy, task: OptimizationTask) -> None:
    """Check that the two agree; where their activations do not fit into memory, with layers that are recomputed."""
    try:
        compare(found, plain, task)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    else:
        return
    spare = Packed(plain.mllm, plain.start, [task])
    spare.enable_checkpointing()
    try:
        with activation_checkpointing(spare.decoder):
            compare(spare, plain, task)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory_error(plain.mllm.device, str(error)) from error


def compare(packed: ForwardStrategy, plain: ForwardStrategy, task: OptimizationTask) -> None:
    """Compare logits and gradient of one task on both; raise ModelError with the rule that is broken.

    The embedding is shaken: between the equal rows of a blank, many a wrong position would not show.
    """
    rows = plain.start.perturbed().features
    theirs, reference = logits_and_grad(plain, task, rows)
    ours, gradient = logits_and_grad(packed, task, rows)
    moved, turned = logits_and_grad(plain, task, perturb(rows, plain.mllm.dtype))
    base = ROUNDING.get(plain.mllm.dtype, 0.1)
    most = max(base, NOISE * relative_error(moved, theirs))
    lengths = list(map(len, task.answers))
    parts = zip(torch.split(ours, lengths), torch.split(theirs, lengths), strict=True)
    for number, (mine, wanted) in enumerate(parts, 1):
        if (off := relative_error(mine, wanted)) > most:
            broken = "the positions or the prefix" if number == 1 else "the block mask, or the positions behind it"
            _refuse(f"the logits of answer {number} differ by {off:.2g} of their size", broken)
    if (off := relative_error(gradient, reference)) > max(base, NOISE * relative_error(turned, reference)):
        _refuse(f"the gradients differ by {off:.2g} of their size", "the way back from the answers to E")


def perturb(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """Return E moved by about half of what rounding to `dtype` moves it, the same on every call."""
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(1)).to(rows)
    return rows * (1 + torch.finfo(dtype).eps / 4 * noise)


def logits_and_grad(forward: ForwardStrategy, task: OptimizationTask, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return a task's logits and the gradient of its loss at E, (n_rows, d_encoder)."""
    embedding = nn.Parameter(rows.detach().clone())
    logits = forward.logits(forward.prepare_batch([task]), [embedding])
    lengths = list(map(len, task.answers))
    targets = torch.tensor([t for answer in task.answers for t in answer], device=logits.device)
    nll = nn.functional.cross_entropy(logits, targets, reduction="none")
    (gradient,) = torch.autograd.grad(
        torch.stack([part.mean() for part in torch.split(nll, lengths)]).mean(), [embedding]
    )
    return logits.detach(), gradient


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Return the distance of two tensors, relative to the size of the second around its mean."""
    return float((ours - theirs).norm() / (theirs - theirs.mean()).norm().clamp_min(1e-30))


def _refuse(seen: str, broken: str) -> None:
    raise ModelError(
        f"the packed step does not compute what the model computes: {seen}. Check {broken}.",
        hint="Type -o packed=false to go on with plain sequences (about half as fast), and tell the plugin's author.",
    )
