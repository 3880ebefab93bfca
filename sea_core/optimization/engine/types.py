"""What the engine takes and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sea_core.model.embedding import Embedding
from sea_core.optimization.engine.parametrization import DEFAULT, Parametrization

OptimizationStatus = Literal["succeeded", "failed"]


@dataclass(frozen=True)
class OptimizationTask:
    """One embedding to be made.

    Attributes:
        id: of the prepared example.
        prompts: token ids of each goal's prompt, with placeholders.
        answers: token ids of each goal's target answer, with the end token.
        parametrization: how E follows from the parameter that is trained.
        seed: of everything random in this task.
    """

    id: str
    prompts: tuple[list[int], ...]
    answers: tuple[list[int], ...]
    parametrization: Parametrization = DEFAULT
    seed: int = 0


@dataclass(frozen=True)
class EngineConfig:
    """How the engine optimises, and when a task has succeeded.

    Attributes:
        lr: Adam's step size, in the units of E.
        betas: Adam's decay rates.
        steps: maximum number of updates of a task.
        loss: the mean loss must be below it, in nats per token.
        margin: every target token must exceed every other token by it, in logits.
        batch_size: tasks optimised at a time.
    """

    lr: float
    betas: tuple[float, float]
    steps: int
    loss: float
    margin: float
    batch_size: int


@dataclass(frozen=True)
class OptimizationResult:
    """What became of a task.

    Attributes:
        id: of the task.
        reason: why it failed; empty if it succeeded.
        steps: updates that were made.
        loss, margin: of the last evaluation.
        seconds: the task's part of the time of its steps.
        embedding: the E that was evaluated last, in the model's dtype; None if the task failed.
        start: the digest of the real embedding that E started at; empty for any other start.
    """

    id: str
    status: OptimizationStatus
    reason: str
    steps: int
    loss: float
    margin: float
    seconds: float
    embedding: Embedding | None
    start: str = ""


def failed_result(task_id: str, reason: str) -> OptimizationResult:
    """Return the result of a task of which no step was made."""
    nan = float("nan")
    return OptimizationResult(task_id, "failed", reason, 0, nan, nan, 0.0, None)
