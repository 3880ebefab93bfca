"""A row as the engine sees it, when it is done, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sea_core.model.embedding import Embedding
from sea_core.optimization.engine.parametrization import DEFAULT, Parametrization

Status = Literal["succeeded", "failed"]


@dataclass(frozen=True)
class OptimizationTask:
    """A row as the engine sees it: token ids of each goal's prompt (with placeholders) and answer (with its end).

    Attributes:
        variation: how its E comes from what is trained. seed: what its randomness follows from.
    """

    id: str
    prompts: tuple[list[int], ...]
    answers: tuple[list[int], ...]
    parametrization: Parametrization = DEFAULT
    seed: int = 0


@dataclass(frozen=True)
class EngineConfig:
    """When a row is done, and how it gets there.

    Attributes:
        lr: step size in the units of E. betas: Adam's.
        steps: updates at most.
        loss: the mean loss must be below it.
        margin: every target token must beat every other token by it, in logits.
        slots: rows in flight.
    """

    lr: float
    betas: tuple[float, float]
    steps: int
    loss: float
    margin: float
    batch_size: int


@dataclass(frozen=True)
class OptimizationResult:
    """What became of a row. `embedding` is the very E that was checked, in the model's dtype."""

    id: str
    status: Status
    reason: str
    steps: int
    loss: float
    margin: float
    seconds: float
    embedding: Embedding | None
