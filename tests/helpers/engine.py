"""Tasks for the tests of the engine, and what a block of code costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from sea_core.data import demo
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.select_forward import logits_and_grad
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.optimization.optimizer import make_task


def tasks_of(mllm: MLLM, count: int = 3) -> list[OptimizationTask]:
    rows = prepare(read_examples(demo.DEMO_EXAMPLES).examples, mllm.adapter).prepared[:count]
    return [make_task(mllm, row, len(mllm.blank())) for row in rows]


def measured(forward: ForwardStrategy, task: OptimizationTask) -> tuple[Tensor, int]:
    """Return the gradient, and the most bytes that the forward keeps for it at a time."""
    weights = {p.untyped_storage().data_ptr() for p in forward.mllm.model.parameters()}
    kept: dict[int, int] = {}
    holders: Counter[int] = Counter()
    most = 0

    class Kept:
        """A tensor for as long as the graph holds it: a part of the graph may be dropped on the way."""

        def __init__(self, tensor: Tensor) -> None:
            nonlocal most
            self.tensor, self.where = tensor, tensor.untyped_storage().data_ptr()
            holders[self.where] += 1
            if self.where not in weights:
                kept[self.where] = tensor.untyped_storage().nbytes()
            most = max(most, sum(kept.values()))

        def __del__(self) -> None:
            holders[self.where] -= 1
            if not holders[self.where]:
                kept.pop(self.where, None)

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda held: held.tensor):
        _, gradient = logits_and_grad(forward, task, forward.start.perturbed().features)
    return gradient, most


@contextmanager
def closing(handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()
