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
from sea_core.optimization.engine.activation_checkpointing import no_room, out_of_memory, recomputing
from sea_core.optimization.engine.forward import Forward, Shape
from sea_core.optimization.engine.types import Outcome, Rules, Status, Task


@dataclass
class Slot:
    """A row in flight."""

    task: Task
    leaf: Tensor
    adam: torch.optim.Adam
    budget: int
    steps: int = 0
    seconds: float = 0.0

    def shown(self) -> Tensor:
        """Return the E that the model sees in this step."""
        return self.task.variation.shown(self.leaf, rng_of(self.task, self.steps + 1, self.leaf.device))


@dataclass(frozen=True)
class Reading:
    """One look at some slots: what was shown, their losses with the graph, losses and least margins as numbers, and all
    the logits."""

    slots: list[Slot]
    shown: list[Tensor]
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
    rules: Rules
    forward: Forward
    slots: list[Slot] = field(default_factory=list)
    _seated: Any = None
    _targets: Tensor | None = None

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for each task, in the order in which they finish.

        Rows of one kind of variation run together, so that a row's seconds are those of its kind.

        Raises:
            ModelError: not even one row fits into memory.
        """
        queues: dict[tuple[type, Shape], deque[Task | Slot]] = {}
        for task in tasks:
            queues.setdefault((type(task.variation), self.forward.shape(task)), deque()).append(task)
        self._most, self._recomputing = self.rules.slots, ExitStack()
        with self._recomputing:
            for queue in queues.values():
                while queue or self.slots:
                    self._fill(queue)
                    try:
                        yield from self._step()
                    except RuntimeError as error:
                        if not out_of_memory(error):
                            raise
                        full = str(error)
                    else:
                        continue
                    self._make_room(queue, full)  # out here the error, and all that it holds, is gone

    def _fill(self, queue: deque[Task | Slot]) -> None:
        while queue and len(self.slots) < self._most:
            waiting = queue.popleft()
            self.slots.append(waiting if isinstance(waiting, Slot) else self._seat(waiting))
            self._seated = None

    def _seat(self, task: Task) -> Slot:
        how = task.variation
        leaf = nn.Parameter(how.leaf(self.start.rows, rng_of(task, 0, self.start.rows.device)))
        adam = torch.optim.Adam([leaf], lr=self.rules.lr * how.lr, betas=self.rules.betas)
        return Slot(task, leaf, adam, max(1, round(self.rules.steps * how.steps)))

    def _step(self) -> list[Outcome]:
        """Look at every slot; let the finished ones go and update the others."""
        began = time.perf_counter()
        reading = self._look()
        outcomes = [self._outcome(i, reading) for i in range(len(self.slots))]
        going = [i for i, outcome in enumerate(outcomes) if outcome is None]
        if going:
            loss = reading.graph[going].sum()
            for i in going:
                if (more := self.slots[i].task.variation.loss(reading.shown[i])) is not None:
                    loss = loss + more
            gradients = torch.autograd.grad(loss, [self.slots[i].leaf for i in going])
            for i, gradient in zip(going, gradients, strict=True):
                slot = self.slots[i]
                slot.leaf.grad = gradient
                slot.adam.step()
                slot.steps += 1
        share = (time.perf_counter() - began) / len(self.slots)
        for i in going:
            self.slots[i].seconds += share
        if len(going) < len(self.slots):
            self.slots, self._seated = [self.slots[i] for i in going], None
        # Its last look is a part of what a row took.
        return [replace(outcome, seconds=outcome.seconds + share) for outcome in outcomes if outcome is not None]

    def _look(self) -> Reading:
        """Look at every slot's E of this step."""
        if self._seated is None:
            self._seated, self._targets = self._sit(self.slots)
        assert self._targets is not None
        return self._read(self.slots, self._seated, self._targets, [slot.shown() for slot in self.slots])

    @torch.no_grad()
    def _clean_look(self, slot: Slot) -> Reading:
        """Look at one slot's clean E: what was shown says nothing for sure of it."""
        seated, targets = self._sit([slot])
        return self._read([slot], seated, targets, [slot.task.variation.clean(slot.leaf)])

    def _sit(self, slots: list[Slot]) -> tuple[Any, Tensor]:
        flat = [t for slot in slots for answer in slot.task.answers for t in answer]
        return self.forward.seat([slot.task for slot in slots]), torch.tensor(flat, device=self.mllm.device)

    def _read(self, slots: list[Slot], seated: Any, targets: Tensor, shown: list[Tensor]) -> Reading:
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
        return Reading(slots, shown, graph, losses, least, logits.detach(), targets)

    def _outcome(self, i: int, reading: Reading) -> Outcome | None:
        """Return the outcome of a slot that is finished, from the E it has now: the check comes before the update."""
        slot = reading.slots[i]
        over = slot.steps >= slot.budget
        if slot.task.variation.varies and (over or self._passes(i, reading)):
            i, reading = 0, self._clean_look(slot)
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
            embedding = self.start.with_rows(reading.shown[i].detach().to(self.mllm.dtype))
        return Outcome(slot.task.id, status, reason, slot.steps, loss, margin, slot.seconds, embedding)

    def _passes(self, i: int, reading: Reading) -> bool:
        return reading.margins[i] > self.rules.margin and reading.losses[i] < self.rules.loss

    def _first_wrong(self, i: int, reading: Reading) -> str:
        """Name the first target token that the model would not say, for the row's reason."""
        counts = [sum(map(len, slot.task.answers)) for slot in reading.slots]
        mine = slice(sum(counts[:i]), sum(counts[: i + 1]))
        best, targets = reading.logits[mine].argmax(-1), reading.targets[mine]
        say = self.mllm.tokenizer.decode
        for said, wanted in zip(best.tolist(), targets.tolist(), strict=True):
            if said != wanted:
                return f"the model says {say([said])!r} where the target says {say([wanted])!r}"
        return ""

    def _make_room(self, queue: deque[Task | Slot], full: str) -> None:
        """Go on with one row fewer, which waits with all that it has reached; with one row, keep less for its step."""
        if self.mllm.device.type == "cuda":
            torch.cuda.empty_cache()
        self._seated = None
        if len(self.slots) > 1:
            queue.appendleft(self.slots.pop())
            self._most = len(self.slots)
        elif not self.forward.recomputes:
            self.forward.recompute()
            self._recomputing.enter_context(recomputing(self.mllm.adapter.language_model(self.mllm.model)))
        else:
            raise no_room(self.mllm.device, full)


def rng_of(task: Task, number: int, device: torch.device) -> torch.Generator:
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
