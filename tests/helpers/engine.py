"""Tasks for the tests of the engine, and the memory that a forward strategy takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.extraction.prepare import prepare
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.select_forward import logits_and_grad
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.optimization.optimizer import make_task
from sea_core.pipeline.read import read_examples


def make_tasks(mllm: MLLM, count: int = 3) -> list[OptimizationTask]:
    """Return the tasks of the first demo examples."""
    examples = prepare(read_examples(DEMO_EXAMPLES).examples, mllm.adapter).prepared[:count]
    return [make_task(mllm, example, mllm.blank()) for example in examples]


def gradient_and_memory(forward: ForwardStrategy, task: OptimizationTask) -> tuple[Tensor, int]:
    """Return the gradient of a task's loss, and the peak of the bytes that the graph keeps for it."""
    weights = {p.untyped_storage().data_ptr() for p in forward.mllm.model.parameters()}
    kept: dict[int, int] = {}
    references: Counter[int] = Counter()
    peak = 0

    class SavedTensor:
        """A tensor as long as the graph refers to it; parts of the graph may be freed during the backward pass."""

        def __init__(self, tensor: Tensor) -> None:
            nonlocal peak
            self.tensor, self.address = tensor, tensor.untyped_storage().data_ptr()
            references[self.address] += 1
            if self.address not in weights:
                kept[self.address] = tensor.untyped_storage().nbytes()
            peak = max(peak, sum(kept.values()))

        def __del__(self) -> None:
            references[self.address] -= 1
            if not references[self.address]:
                kept.pop(self.address, None)

    with torch.autograd.graph.saved_tensors_hooks(SavedTensor, lambda saved: saved.tensor):
        _, gradient = logits_and_grad(forward, task, forward.start.perturbed().features)
    return gradient, peak


@contextmanager
def removing(handle: Any) -> Iterator[None]:
    """Remove a forward hook when the block ends."""
    try:
        yield
    finally:
        handle.remove()
