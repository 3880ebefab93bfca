"""Packed where the family allows it, plain where it does not; and never packed on trust."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.activation_checkpointing import no_room, out_of_memory, recomputing
from sea_core.optimization.engine.forward import Forward, Plain
from sea_core.optimization.engine.packed import Packed, Unpackable
from sea_core.optimization.engine.types import Task

ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}
"""How far packed and plain numbers may lie apart, relative; in other dtypes 0.1. A wrong mask makes 0.3."""
NOISE = 3
"""Or so many times what a shake of E by its own rounding does: in bf16, a deep model's gradient moves by a third."""


def choose(
    mllm: MLLM, start: Embedding, tasks: Sequence[Task], *, packed: bool = True, compiled: bool = False
) -> Forward:
    """Return the forward for these tasks.

    Raises:
        ModelError: packed and plain sequences give different numbers, so one of them is wrong.
    """
    plain = Plain(mllm, start)
    if not packed or not tasks:
        return plain
    try:
        found = Packed(mllm, start, tasks)
    except Unpackable as reason:
        plain.why = str(reason)
        return plain
    longest = max(tasks, key=lambda task: sum(map(len, task.answers)))
    prove(found, plain, longest)
    if compiled:
        found.compile()
    return found


def prove(found: Packed, plain: Forward, task: Task) -> None:
    """Check that the two agree; where their activations do not fit into memory, with layers that are recomputed."""
    try:
        agree(found, plain, task)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
    else:
        return
    spare = Packed(plain.mllm, plain.start, [task])
    spare.recompute()
    try:
        with recomputing(spare.decoder):
            agree(spare, plain, task)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise no_room(plain.mllm.device, str(error)) from error


def agree(packed: Forward, plain: Forward, task: Task) -> None:
    """Compare logits and gradient of one task on both; raise ModelError with the rule that is broken.

    The embedding is shaken: between the equal rows of a blank, many a wrong position would not show.
    """
    rows = plain.start.shaken().rows
    theirs, reference = look(plain, task, rows)
    ours, gradient = look(packed, task, rows)
    moved, turned = look(plain, task, nudged(rows, plain.mllm.dtype))
    base = ROUNDING.get(plain.mllm.dtype, 0.1)
    most = max(base, NOISE * apart(moved, theirs))
    lengths = list(map(len, task.answers))
    parts = zip(torch.split(ours, lengths), torch.split(theirs, lengths), strict=True)
    for number, (mine, wanted) in enumerate(parts, 1):
        if (off := apart(mine, wanted)) > most:
            broken = "the positions or the prefix" if number == 1 else "the block mask, or the positions behind it"
            _refuse(f"the logits of answer {number} differ by {off:.2g} of their size", broken)
    if (off := apart(gradient, reference)) > max(base, NOISE * apart(turned, reference)):
        _refuse(f"the gradients differ by {off:.2g} of their size", "the way back from the answers to E")


def nudged(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """Return E moved by about half of what rounding to `dtype` moves it, the same on every call."""
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(1)).to(rows)
    return rows * (1 + torch.finfo(dtype).eps / 4 * noise)


def look(forward: Forward, task: Task, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return a task's logits and the gradient of its loss at E, (n_rows, d_encoder)."""
    embedding = nn.Parameter(rows.detach().clone())
    logits = forward.logits(forward.seat([task]), [embedding])
    lengths = list(map(len, task.answers))
    targets = torch.tensor([t for answer in task.answers for t in answer], device=logits.device)
    nll = nn.functional.cross_entropy(logits, targets, reduction="none")
    (gradient,) = torch.autograd.grad(
        torch.stack([part.mean() for part in torch.split(nll, lengths)]).mean(), [embedding]
    )
    return logits.detach(), gradient


def apart(ours: Tensor, theirs: Tensor) -> float:
    """Return the distance of two tensors, relative to the size of the second around its mean."""
    return float((ours - theirs).norm() / (theirs - theirs.mean()).norm().clamp_min(1e-30))


def _refuse(seen: str, broken: str) -> None:
    raise ModelError(
        f"the packed step does not compute what the model computes: {seen}. Check {broken}.",
        hint="Type -o packed=false to go on with plain sequences (about half as fast), and tell the plugin's author.",
    )
