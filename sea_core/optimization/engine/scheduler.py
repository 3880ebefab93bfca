"""Rows in flight. A waiting row takes a slot when one is free, and leaves it at once when it is done.

Each slot has an Adam of its own and sees nothing of the others, so no row waits for its neighbours, or depends on them.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.activation_checkpointing import (
    activation_checkpointing,
    is_out_of_memory,
    out_of_memory_error,
)
from sea_core.optimization.engine.forward import ForwardStrategy, Shape
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask, Status


@dataclass
class Slot:
    """A row in flight."""

    task: OptimizationTask
    parameter: Tensor
    adam: torch.optim.Adam
    budget: int
    steps: int = 0
    seconds: float = 0.0

    def forward(self) -> Tensor:
        """Return the E that the model sees in this step."""
        return self.task.parametrization.forward(
            self.parameter, make_rng(self.task, self.steps + 1, self.parameter.device)
        )


@dataclass(frozen=True)
class Evaluation:
    """One look at some slots: what was shown, their losses with the graph, losses and least margins as numbers, and all
    the logits."""

    slots: list[Slot]
    embeddings: list[Tensor]
    graph: Tensor
    losses: list[float]
    margins: list[float]
    logits: Tensor
    targets: Tensor


@dataclass
class Engine:
    """Optimises the embeddings of many tasks on one frozen model."""

    mllm: MLLM
    start: Embedding
    config: EngineConfig
    forward: ForwardStrategy
    slots: list[Slot] = field(default_factory=list)
    _batch: Any = None
    _targets: Tensor | None = None

    def run(self, tasks: Iterable[OptimizationTask]) -> Iterator[OptimizationResult]:
        """Yield an outcome for each task, in the order in which they finish.

        Rows of one kind of variation run together, so that a row's seconds are those of its kind.

        Raises:
            ModelError: not even one row fits into memory.
        """
        queues: dict[tuple[type, Shape], deque[OptimizationTask | Slot]] = {}
        for task in tasks:
            queues.setdefault((type(task.parametrization), self.forward.shape(task)), deque()).append(task)
        self._max_slots, self._recomputing = self.config.batch_size, ExitStack()
        with self._recomputing:
            for queue in queues.values():
                while queue or self.slots:
                    self._fill(queue)
                    try:
                        yield from self._step()
                    except RuntimeError as error:
                        if not is_out_of_memory(error):
                            raise
                        full = str(error)
                    else:
                        continue
                    self._make_room(queue, full)  # out here the error, and all that it holds, is gone

    def _fill(self, queue: deque[OptimizationTask | Slot]) -> None:
        while queue and len(self.slots) < self._max_slots:
            waiting = queue.popleft()
            self.slots.append(waiting if isinstance(waiting, Slot) else self._start(waiting))
            self._batch = None

    def _start(self, task: OptimizationTask) -> Slot:
        how = task.parametrization
        leaf = nn.Parameter(how.parameter(self.start.features, make_rng(task, 0, self.start.features.device)))
        adam = torch.optim.Adam([leaf], lr=self.config.lr * how.lr, betas=self.config.betas)
        return Slot(task, leaf, adam, max(1, round(self.config.steps * how.steps)))

    def _step(self) -> list[OptimizationResult]:
        """Look at every slot; let the finished ones go and update the others."""
        began = time.perf_counter()
        reading = self._evaluate()
        outcomes = [self._result(i, reading) for i in range(len(self.slots))]
        going = [i for i, outcome in enumerate(outcomes) if outcome is None]
        if going:
            loss = reading.graph[going].sum()
            for i in going:
                if (more := self.slots[i].task.parametrization.extra_loss(reading.embeddings[i])) is not None:
                    loss = loss + more
            gradients = torch.autograd.grad(loss, [self.slots[i].parameter for i in going])
            for i, gradient in zip(going, gradients, strict=True):
                slot = self.slots[i]
                slot.parameter.grad = gradient
                slot.adam.step()
                slot.steps += 1
        share = (time.perf_counter() - began) / len(self.slots)
        for i in going:
            self.slots[i].seconds += share
        if len(going) < len(self.slots):
            self.slots, self._batch = [self.slots[i] for i in going], None
        # Its last look is a part of what a row took.
        return [replace(outcome, seconds=outcome.seconds + share) for outcome in outcomes if outcome is not None]

    def _evaluate(self) -> Evaluation:
        """Look at every slot's E of this step."""
        if self._batch is None:
            self._batch, self._targets = self._prepare(self.slots)
        assert self._targets is not None
        return self._run_model(self.slots, self._batch, self._targets, [slot.forward() for slot in self.slots])

    @torch.no_grad()
    def _evaluate_final(self, slot: Slot) -> Evaluation:
        """Look at one slot's clean E: what was shown says nothing for sure of it."""
        seated, targets = self._prepare([slot])
        return self._run_model([slot], seated, targets, [slot.task.parametrization.final(slot.parameter)])

    def _prepare(self, slots: list[Slot]) -> tuple[Any, Tensor]:
        flat = [t for slot in slots for answer in slot.task.answers for t in answer]
        return self.forward.prepare_batch([slot.task for slot in slots]), torch.tensor(flat, device=self.mllm.device)

    def _run_model(self, slots: list[Slot], seated: Any, targets: Tensor, shown: list[Tensor]) -> Evaluation:
        """Run LLM(P(E), x) for every goal of the slots, teacher forced, and bring the numbers over in one go."""
        logits = self.forward.logits(seated, shown)
        goals = [len(slot.task.answers) for slot in slots]
        lengths = [len(answer) for slot in slots for answer in slot.task.answers]
        nll = nn.functional.cross_entropy(logits, targets, reduction="none")
        per_goal = torch.stack([part.mean() for part in torch.split(nll, lengths)])
        graph = torch.stack([part.mean() for part in torch.split(per_goal, goals)])
        per_slot = [sum(part) for part in _in_parts(lengths, goals)]
        margins = torch.stack([part.min() for part in torch.split(_margins(logits.detach(), targets), per_slot)])
        losses, least = torch.stack([graph.detach(), margins]).tolist()
        return Evaluation(slots, shown, graph, losses, least, logits.detach(), targets)

    def _result(self, i: int, reading: Evaluation) -> OptimizationResult | None:
        """Return the outcome of a slot that is finished, from the E it has now: the check comes before the update."""
        slot = reading.slots[i]
        over = slot.steps >= slot.budget
        if slot.task.parametrization.stochastic and (over or self._passes(i, reading)):
            i, reading = 0, self._evaluate_final(slot)
        loss, margin = reading.losses[i], reading.margins[i]
        status: Status = "failed"
        if not math.isfinite(loss):
            reason = "the loss is not a number: this model and these settings overflow (a smaller lr, another dtype?)"
        elif self._passes(i, reading):
            status, reason = "succeeded", ""
        elif over:
            reason = f"not reached in {slot.steps} steps: loss {loss:.3g}"
            wrong = self._first_wrong(i, reading) if margin <= 0 else ""
            reason += f"; {wrong}" if wrong else f", margin {margin:.3g} with every token right"
        else:
            return None
        embedding = None
        if status == "succeeded":
            embedding = self.start.with_features(reading.embeddings[i].detach().to(self.mllm.dtype))
        return OptimizationResult(slot.task.id, status, reason, slot.steps, loss, margin, slot.seconds, embedding)

    def _passes(self, i: int, reading: Evaluation) -> bool:
        return reading.margins[i] > self.config.margin and reading.losses[i] < self.config.loss

    def _first_wrong(self, i: int, reading: Evaluation) -> str:
        """Name the first target token that the model would not say, for the row's reason."""
        counts = [sum(map(len, slot.task.answers)) for slot in reading.slots]
        mine = slice(sum(counts[:i]), sum(counts[: i + 1]))
        best, targets = reading.logits[mine].argmax(-1), reading.targets[mine]
        say = self.mllm.tokenizer.decode
        for said, wanted in zip(best.tolist(), targets.tolist(), strict=True):
            if said != wanted:
                return f"the model says {say([said])!r} where the target says {say([wanted])!r}"
        return ""

    def _make_room(self, queue: deque[OptimizationTask | Slot], full: str) -> None:
        """Go on with one row fewer, which waits with all that it has reached; with one row, keep less for its step."""
        if self.mllm.device.type == "cuda":
            torch.cuda.empty_cache()
        self._batch = None
        if len(self.slots) > 1:
            queue.appendleft(self.slots.pop())
            self._max_slots = len(self.slots)
        elif not self.forward.checkpointing:
            self.forward.enable_checkpointing()
            self._recomputing.enter_context(activation_checkpointing(self.mllm.adapter.language_model(self.mllm.model)))
        else:
            raise out_of_memory_error(self.mllm.device, full)


def make_rng(task: OptimizationTask, number: int, device: torch.device) -> torch.Generator:
    """Return the row's randomness: for its leaf (0), or for a step (from 1). A step made again gets the same."""
    return torch.Generator(device).manual_seed(task.seed + number)


def _in_parts(values: list[int], counts: list[int]) -> Iterator[list[int]]:
    """Cut a list into parts of so many."""
    begin = 0
    for count in counts:
        yield values[begin : begin + count]
        begin += count


def _margins(logits: Tensor, targets: Tensor) -> Tensor:
    """Return by how much each target's logit beats the best other one; negative where the target loses."""
    target = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    return target - others
