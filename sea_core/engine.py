"""The step: what one update of many embeddings costs, and when a row is done.

Rows wait in a queue and take a slot when one is free; a finished row leaves at once and the next takes its place, so
that no row waits for its neighbours. Each slot has an Adam of its own and sees nothing of the others.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from sea_core.embedding import Embedding
from sea_core.mllm import MLLM, Batch

Status = Literal["succeeded", "failed"]


@dataclass(frozen=True)
class Task:
    """A row as the engine sees it: token ids of each goal's prompt (with placeholders) and answer (with its end)."""

    id: str
    prompts: tuple[list[int], ...]
    answers: tuple[list[int], ...]


@dataclass(frozen=True)
class Rules:
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
    slots: int


@dataclass(frozen=True)
class Outcome:
    """What became of a row. `embedding` is the very E that was checked, in the model's dtype."""

    id: str
    status: Status
    reason: str
    steps: int
    loss: float
    margin: float
    seconds: float
    embedding: Embedding | None


@dataclass(frozen=True)
class Reading:
    """One look at a slot: its loss (with its graph), the smallest margin, and the first token that is wrong."""

    loss: Tensor
    margin: float
    wrong: str


@dataclass
class Slot:
    """A row in flight."""

    task: Task
    embedding: Tensor
    adam: torch.optim.Adam
    steps: int = 0
    seconds: float = 0.0


@dataclass
class Engine:
    """Optimises the embeddings of many tasks on one frozen model."""

    mllm: MLLM
    start: Embedding
    rules: Rules
    slots: list[Slot] = field(default_factory=list)
    _batch: Batch | None = None

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for each task, in the order in which they finish."""
        queue = deque(tasks)
        while queue or self.slots:
            while queue and len(self.slots) < self.rules.slots:
                self.slots.append(self._seat(queue.popleft()))
                self._batch = None
            yield from self._step()

    def _seat(self, task: Task) -> Slot:
        embedding = nn.Parameter(self.start.rows.detach().clone())
        return Slot(task, embedding, torch.optim.Adam([embedding], lr=self.rules.lr, betas=self.rules.betas))

    def _step(self) -> list[Outcome]:
        """Look at every slot; let the finished ones go and update the others."""
        began = time.perf_counter()
        readings = self._read()
        outcomes = [self._outcome(slot, reading) for slot, reading in zip(self.slots, readings, strict=True)]
        going = [slot for slot, outcome in zip(self.slots, outcomes, strict=True) if outcome is None]
        if going:
            loss = torch.stack([r.loss for r, o in zip(readings, outcomes, strict=True) if o is None]).sum()
            gradients = torch.autograd.grad(loss, [slot.embedding for slot in going])
            for slot, gradient in zip(going, gradients, strict=True):
                slot.embedding.grad = gradient
                slot.adam.step()
                slot.steps += 1
        share = (time.perf_counter() - began) / len(self.slots)
        for slot in going:
            slot.seconds += share
        if len(going) < len(self.slots):
            self.slots, self._batch = going, None
        return [outcome for outcome in outcomes if outcome is not None]

    def _read(self) -> list[Reading]:
        """Run LLM(P(E), x) for every goal of every slot, teacher forced."""
        goals = [len(slot.task.prompts) for slot in self.slots]
        if self._batch is None:
            prompts = [ids for slot in self.slots for ids in slot.task.prompts]
            self._batch = self.mllm.batch(prompts, [ids for slot in self.slots for ids in slot.task.answers])
        shown = [
            self.start.with_rows(slot.embedding) for slot, n in zip(self.slots, goals, strict=True) for _ in range(n)
        ]
        logits, targets, row = self.mllm.answer_logits(self._batch, shown)
        nll = nn.functional.cross_entropy(logits, targets, reduction="none")
        per_goal = [part.mean() for part in _by_row(nll, row)]
        margins = _by_row(_margins(logits.detach(), targets), row)
        readings, first = [], 0
        for n in goals:
            smallest = min(float(m.min()) for m in margins[first : first + n])
            loss = torch.stack(per_goal[first : first + n]).mean()
            wrong = self._first_wrong(logits, targets, row, range(first, first + n)) if smallest <= 0 else ""
            readings.append(Reading(loss, smallest, wrong))
            first += n
        return readings

    def _outcome(self, slot: Slot, reading: Reading) -> Outcome | None:
        """Return the outcome of a slot that is finished, from the E it has now: the check comes before the update."""
        loss = float(reading.loss.detach())
        status: Status = "failed"
        if not math.isfinite(loss):
            reason = "the loss is not a number: this model and these settings overflow (a smaller lr, another dtype?)"
        elif reading.margin > self.rules.margin and loss < self.rules.loss:
            status, reason = "succeeded", ""
        elif slot.steps >= self.rules.steps:
            reason = f"not reached in {slot.steps} steps: loss {loss:.3g}"
            reason += f"; {reading.wrong}" if reading.wrong else f", margin {reading.margin:.3g} with every token right"
        else:
            return None
        embedding = None
        if status == "succeeded":
            embedding = self.start.with_rows(slot.embedding.detach().to(self.mllm.dtype))
        return Outcome(slot.task.id, status, reason, slot.steps, loss, reading.margin, slot.seconds, embedding)

    def _first_wrong(self, logits: Tensor, targets: Tensor, row: Tensor, rows: range) -> str:
        """Name the first target token that the model would not say, for the row's reason."""
        best = logits.argmax(-1)
        for i in torch.nonzero(best != targets)[:, 0].tolist():
            if int(row[i]) in rows:
                say = self.mllm.tokenizer.decode
                return f"the model says {say([int(best[i])])!r} where the target says {say([int(targets[i])])!r}"
        return ""


def _by_row(values: Tensor, row: Tensor) -> Sequence[Tensor]:
    return torch.split(values, torch.bincount(row).tolist())


def _margins(logits: Tensor, targets: Tensor) -> Tensor:
    """Return by how much each target's logit beats the best other one; negative where the target loses."""
    target = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    return target - others
