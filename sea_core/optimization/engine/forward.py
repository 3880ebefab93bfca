"""LLM(P(E), x), teacher-forced, for every goal of several tasks at once. Here sequential: one sequence per goal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.padding import Batch
from sea_core.optimization.engine.types import OptimizationTask

LENGTH_MULTIPLE = 8
"""Lengths are rounded up to a multiple of it, so that many tasks have the same shape."""

Shape = tuple[int, ...]


class ForwardStrategy(ABC):
    """How the engine runs the model on embeddings.

    Only tasks of one shape share a batch, and the shape follows from a task's own texts. So a task's numbers do not
    depend on the tasks beside it, on a CPU to the last bit.

    Attributes:
        name: as it is stored in the manifest of a run.
        fallback_reason: why no faster strategy is used, for people; empty if there is nothing to say.
        compiled: whether the decoder's layers are compiled.
        compile_reason: why they are not, for people; empty if there is nothing to say.
        checkpointing: whether the decoder's layers are recomputed in the backward pass, to save memory.
        kv_only: positions per task of which the last layer computes keys and values only (see pruned_attention.py).
    """

    name: str
    fallback_reason: str = ""
    compiled: bool = False
    compile_reason: str = ""
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
        """Return what `logits` needs of tasks of one shape: made once, and used as long as the batch is the same."""

    @abstractmethod
    def logits(self, batch: Any, embeddings: Sequence[Tensor]) -> Tensor:
        """Return the logits of all answer tokens, (answer tokens, vocabulary), in fp32 or wider.

        They are ordered by task, then by goal, then by token.

        Args:
            embeddings: the E of each task, (n_features, d_encoder).
        """

    def enable_checkpointing(self) -> None:
        """From now on use nothing that recomputed layers do not support (see activation_checkpointing.py)."""
        self.checkpointing = True


@dataclass(frozen=True)
class SequentialBatch:
    """Tasks of one shape: a padded sequence for each goal of each task, and the number of goals per task."""

    sequences: Batch
    goals: int


class Sequential(ForwardStrategy):
    """Every goal is a sequence of its own, through the backbone's own forward pass, as in the paper."""

    name = "sequential"

    def shape(self, task: OptimizationTask) -> Shape:
        longest = max(len(p) + len(a) for p, a in zip(task.prompts, task.answers, strict=True))
        return (len(task.prompts), padded_length(longest))

    def tokens(self, task: OptimizationTask) -> int:
        goals, length = self.shape(task)
        return goals * length

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> SequentialBatch:
        prompts = [ids for task in tasks for ids in task.prompts]
        answers = [ids for task in tasks for ids in task.answers]
        goals, length = self.shape(tasks[0])
        return SequentialBatch(self.mllm.batch(prompts, answers, width=length), goals)

    def logits(self, batch: SequentialBatch, embeddings: Sequence[Tensor]) -> Tensor:
        repeated = [self.start.with_features(features) for features in embeddings for _ in range(batch.goals)]
        return self.mllm.answer_logits(batch.sequences, repeated)[0]


def padded_length(length: int) -> int:
    """Round a length up to a multiple of LENGTH_MULTIPLE."""
    return -(-length // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
