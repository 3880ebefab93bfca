"""LLM(P(E), x) for every goal of several rows at once, teacher forced; here the plain way, a sequence for each goal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationTask

LENGTH_MULTIPLE = 8
"""Lengths are rounded up to a multiple of it, so that many rows have one shape."""

Shape = tuple[int, ...]


class ForwardStrategy(ABC):
    """How the engine runs the model on embeddings.

    Rows share a batch only when they have one shape, and a row's shape follows from its own text: so do its numbers,
    to the last bit on a CPU, whatever rows are in flight beside it.

    Attributes:
        name: what the figures call it.
        why: why it is not a faster one, for people; empty where there is nothing to say.
        recomputes: whether it keeps as little as it can for the backward pass.
        left: how many positions of a row leave keys and values alone in the last layer (see lean.py).
    """

    name: str
    fallback_reason: str = ""
    checkpointing: bool = False
    kv_only: int = 0

    def __init__(self, mllm: MLLM, start: Embedding) -> None:
        self.mllm, self.start = mllm, start

    @abstractmethod
    def shape(self, task: OptimizationTask) -> Shape:
        """Return the padded lengths of the task."""

    @abstractmethod
    def tokens(self, task: OptimizationTask) -> int:
        """Return how many positions of the decoder the task takes."""

    @abstractmethod
    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> Any:
        """Return what `logits` needs of tasks of one shape: made once, used while the same rows are in flight."""

    @abstractmethod
    def logits(self, seated: Any, embeddings: Sequence[Tensor]) -> Tensor:
        """Return the logits (answer tokens, vocabulary) in fp32 or wider: task by task, goal by goal, token by token.

        Args:
            embeddings: for each task its E, (n_rows, d_encoder).
        """

    def enable_checkpointing(self) -> None:
        """From now on use nothing that a recomputed layer cannot (see recompute.py)."""
        self.checkpointing = True


class Sequential(ForwardStrategy):
    """Every goal is a sequence of its own, through the backbone's own forward: the paper's loop."""

    name = "plain"

    def shape(self, task: OptimizationTask) -> Shape:
        longest = max(len(p) + len(a) for p, a in zip(task.prompts, task.answers, strict=True))
        return (len(task.prompts), padded_length(longest))

    def tokens(self, task: OptimizationTask) -> int:
        goals, width = self.shape(task)
        return goals * width

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> Any:
        prompts = [ids for task in tasks for ids in task.prompts]
        answers = [ids for task in tasks for ids in task.answers]
        return self.mllm.batch(prompts, answers, width=self.shape(tasks[0])[1]), len(tasks[0].prompts)

    def logits(self, seated: Any, embeddings: Sequence[Tensor]) -> Tensor:
        batch, goals = seated
        shown = [self.start.with_features(rows) for rows in embeddings for _ in range(goals)]
        return self.mllm.answer_logits(batch, shown)[0]


def padded_length(length: int) -> int:
    """Round a length up to a multiple of STEP."""
    return -(-length // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
