"""Choose the forward strategy: packed where the family supports it and it proves equivalent, else sequential.

The decoder alone is the fastest; the whole backbone carries more families.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.device_error import is_out_of_memory, out_of_memory_error
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import packing_tolerance, relative_error
from sea_core.model.proof import perturb
from sea_core.optimization.engine.activation_checkpointing import activation_checkpointing
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed, PackingNotSupported
from sea_core.optimization.engine.packed_backbone import PackedBackbone
from sea_core.optimization.engine.types import OptimizationTask

PERTURBATION_FACTOR = 3
"""Allowed relative error, as a multiple of what perturbing E by its own rounding does, where that is more than the
tolerance: in bf16 it changes the gradient of a deep model by a third."""


class NotEquivalent(ModelError):
    """The packed sequence gives other numbers than separate sequences."""


def select_forward(
    mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask], *, packed: bool = True
) -> ForwardStrategy:
    """Return the forward strategy for these tasks: packed where it gives the numbers of separate sequences.

    `fallback_reason` of the strategy says why it is not packed.
    """
    sequential = Sequential(mllm, start)
    if not packed or not tasks:
        return sequential
    try:
        strategy = make_packed(mllm, start, tasks)
        check_equivalence(strategy, sequential, max(tasks, key=_n_targets))
    except (PackingNotSupported, NotEquivalent) as reason:
        sequential.fallback_reason = reason.what
        return sequential
    return strategy


def make_packed(mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask]) -> Packed | PackedBackbone:
    """Return the first strategy that packs these tasks. Raises PackingNotSupported, with the last one's reason."""
    try:
        return Packed(mllm, start, tasks)
    except PackingNotSupported:
        return PackedBackbone(mllm, start, tasks)


def _n_targets(task: OptimizationTask) -> int:
    return sum(map(len, task.answers))


def check_equivalence(packed: Packed | PackedBackbone, sequential: ForwardStrategy, task: OptimizationTask) -> None:
    """Check that both strategies agree on a task, with activation checkpointing if memory does not suffice without.

    Raises:
        NotEquivalent: they disagree.
        ModelError: one task does not fit into memory even with checkpointing.
    """
    try:
        compare(packed, sequential, task)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    else:
        return
    checkpointed = type(packed)(sequential.mllm, sequential.start, [task])
    checkpointed.enable_checkpointing()
    try:
        with activation_checkpointing(checkpointed.decoder):
            compare(checkpointed, sequential, task)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory_error(sequential.mllm.device, str(error)) from error


@dataclass(frozen=True)
class Reference:
    """What a strategy that is known to be right computes for one task, and how far another may be from it.

    The embedding is perturbed: the vectors of a blank are equal, and would hide many a wrong position.

    Attributes:
        logits: (answer tokens, vocabulary). grad: the gradient at E, (n_features, d_encoder).
        allowed_logits, allowed_grad: the largest relative error that rounding explains.
    """

    task: OptimizationTask
    features: Tensor
    logits: Tensor
    grad: Tensor
    allowed_logits: float
    allowed_grad: float

    @classmethod
    def compute(cls, forward: ForwardStrategy, task: OptimizationTask) -> Reference:
        features, dtype = forward.start.perturbed().features, forward.mllm.dtype
        logits, grad = logits_and_grad(forward, task, features)
        perturbed_logits, perturbed_grad = logits_and_grad(forward, task, perturb(features, dtype))

        def allowed(perturbed: Tensor, reference: Tensor) -> float:
            return max(packing_tolerance(dtype), PERTURBATION_FACTOR * relative_error(perturbed, reference))

        return cls(task, features, logits, grad, allowed(perturbed_logits, logits), allowed(perturbed_grad, grad))

    def check(self, forward: ForwardStrategy) -> None:
        """Compare logits and gradient; raise NotEquivalent, with the part to check, if they differ."""
        logits, grad = logits_and_grad(forward, self.task, self.features)
        lengths = list(map(len, self.task.answers))
        parts = zip(torch.split(logits, lengths), torch.split(self.logits, lengths), strict=True)
        for number, (part, reference) in enumerate(parts, 1):
            if not (error := relative_error(part, reference)) <= self.allowed_logits:  # NaN is no agreement
                suspect = "the positions or the prefix" if number == 1 else "the block mask, or the positions after it"
                _raise_not_equivalent(f"the logits of answer {number} have a relative error of {error:.2g}", suspect)
        if not (error := relative_error(grad, self.grad)) <= self.allowed_grad:
            _raise_not_equivalent(f"the gradient has a relative error of {error:.2g}", "the backward pass to E")


def compare(packed: ForwardStrategy, sequential: ForwardStrategy, task: OptimizationTask) -> None:
    """Compare the logits and the gradient of one task; raise NotEquivalent with the part to check if they differ."""
    Reference.compute(sequential, task).check(packed)


def compile_forward(forward: ForwardStrategy, task: OptimizationTask) -> None:
    """Compile a strategy's layers, and keep them so if a step gives the numbers of the step that is not compiled.

    `compile_reason` of the strategy says why they are not.
    """
    if not isinstance(forward, Packed):
        forward.compile_reason = f"the {forward.name} forward runs layers that cannot share a graph"
        return
    from sea_core.optimization.engine.compiled_layers import COMPILE_ERRORS, describe_compile_error

    try:
        reference = Reference.compute(forward, task)
        forward.compile()
        reference.check(forward)
    except NotEquivalent:
        forward.stop_compiling("the compiled step does not compute what the step computes")
    except COMPILE_ERRORS as error:
        forward.stop_compiling(describe_compile_error(error))


def logits_and_grad(forward: ForwardStrategy, task: OptimizationTask, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return a task's logits, (answer tokens, vocabulary), and its loss's gradient at E, (n_features, d_encoder)."""
    embedding = nn.Parameter(features.detach().clone())
    logits = forward.logits(forward.prepare_batch([task]), [embedding])
    targets = torch.tensor([token for answer in task.answers for token in answer], device=logits.device)
    nll = nn.functional.cross_entropy(logits, targets, reduction="none")
    goal_losses = [part.mean() for part in torch.split(nll, list(map(len, task.answers)))]
    (grad,) = torch.autograd.grad(torch.stack(goal_losses).mean(), [embedding])
    return logits.detach(), grad


def _raise_not_equivalent(difference: str, suspect: str) -> NoReturn:
    raise NotEquivalent(
        f"the packed forward does not compute what the model computes: {difference}. Check {suspect}.",
        hint="Type -o packed=false to use one sequence per goal (about half as fast), and tell the plugin's author.",
    )
