"""The engine: optimises the embeddings of many tasks on one frozen model, `batch_size` of them at a time.

The batch is continuous: a waiting task takes a slot as soon as one is free, and a task leaves its slot as soon as it
has finished. Each slot has its own parameter and state of Adam, and shares nothing with the others, so that a task
neither waits for the tasks beside it nor depends on them.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import number_of
from sea_core.model.device_error import is_out_of_memory, out_of_memory_error
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.activation_checkpointing import activation_checkpointing
from sea_core.optimization.engine.forward import ForwardStrategy, Shape
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask


@dataclass
class Slot:
    """A task that is being optimised: the parameter that is trained, Adam's state of it, and the steps made so far."""

    task: OptimizationTask
    parameter: Tensor
    lr: float
    max_steps: int
    state: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0

    def embedding(self) -> Tensor:
        """Return the E of this step, (n_features, d_encoder), with the graph back to the parameter."""
        rng = make_rng(self.task, self.steps + 1, self.parameter.device)
        return self.task.parametrization.forward(self.parameter, rng)


QueueKey = tuple[type, Shape]
"""What tasks of one batch have in common."""
Queue = deque[OptimizationTask | Slot]
"""Tasks that wait for a slot; a slot waits if it was given up for lack of memory."""


class _Refill:
    """Further tasks, asked for until there are none."""

    def __init__(self, more: Callable[[], Sequence[OptimizationTask]]) -> None:
        self._more, self._ended = more, False

    def __call__(self) -> Sequence[OptimizationTask]:
        tasks = () if self._ended else self._more()
        self._ended = not tasks
        return tasks


@dataclass(frozen=True)
class Prepared:
    """What the steps share as long as the slots are the same: the batch, all target ids, and the Adam of all slots."""

    batch: Any
    targets: Tensor
    adam: torch.optim.Adam


@dataclass(frozen=True)
class Evaluation:
    """What the model computes for one E of each slot.

    Attributes:
        embeddings: the E of each slot.
        loss: the loss of each slot with its graph, (slots,).
        losses, margins: the same loss, and the smallest margin of a target token, of each slot as numbers.
        logits: of all answer tokens, (answer tokens, vocabulary).
        targets: their ids, (answer tokens,).
    """

    slots: list[Slot]
    embeddings: list[Tensor]
    loss: Tensor
    losses: list[float]
    margins: list[float]
    logits: Tensor
    targets: Tensor


class Engine:
    """Optimises the embeddings of many tasks on one frozen model, from one start."""

    def __init__(self, mllm: MLLM, start: Embedding, config: EngineConfig, forward: ForwardStrategy) -> None:
        self.mllm, self.start, self.config, self.forward = mllm, start, config, forward
        self.slots: list[Slot] = []
        self._max_slots = config.batch_size
        self._prepared: Prepared | None = None  # until slots change
        self._checkpointing = ExitStack()

    def run(
        self, tasks: Iterable[OptimizationTask], more: Callable[[], Sequence[OptimizationTask]] = tuple
    ) -> Iterator[OptimizationResult]:
        """Yield a result for each task, in the order in which they finish.

        Tasks of the same kind (`kind`) run together, so that the seconds of a task are those of its own kind.

        Args:
            more: called when no task waits for a slot that is free; returns further tasks, none at the end.

        Raises:
            ModelError: not even one example fits into memory.
        """
        queues: dict[QueueKey, Queue] = {}
        self._enqueue(queues, tasks)
        refill = _Refill(more)
        self._max_slots, self._checkpointing = self.config.batch_size, ExitStack()
        with self._checkpointing:
            while kind := self._next_kind(queues, refill):
                while queues[kind] or self.slots:
                    self._fill_slots(queues[kind])
                    yield from self._step_within_memory(queues[kind])
                    if len(self.slots) < self._max_slots and not any(queues.values()):
                        self._enqueue(queues, refill())

    def kind(self, task: OptimizationTask) -> QueueKey:
        """Return what tasks that run together have in common: the type of the parametrisation, and the shape."""
        return type(task.parametrization), self.forward.shape(task)

    def _enqueue(self, queues: dict[QueueKey, Queue], tasks: Iterable[OptimizationTask]) -> None:
        for task in tasks:
            queues.setdefault(self.kind(task), deque()).append(task)

    def _next_kind(self, queues: dict[QueueKey, Queue], refill: _Refill) -> QueueKey | None:
        """Return the first kind of which a task waits; None if there are no more tasks."""
        if not any(queues.values()):
            self._enqueue(queues, refill())
        return next((kind for kind, queue in queues.items() if queue), None)

    def _fill_slots(self, queue: Queue) -> None:
        while queue and len(self.slots) < self._max_slots:
            waiting = queue.popleft()
            self.slots.append(waiting if isinstance(waiting, Slot) else self._start(waiting))
            self._prepared = None

    def _start(self, task: OptimizationTask) -> Slot:
        parametrization, start = task.parametrization, self.start.features
        parameter = nn.Parameter(parametrization.parameter(start, make_rng(task, 0, start.device)))
        max_steps = max(1, round(self.config.steps * parametrization.steps))
        return Slot(task, parameter, self.config.lr * parametrization.lr, max_steps)

    # --- a step -----------------------------------------------------------------------------------------------------

    def _step_within_memory(self, queue: Queue) -> list[OptimizationResult]:
        """Do a step; if memory runs out, do none and make the next one smaller."""
        try:
            return self._step()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            message = str(error)
        self._reduce_memory(queue, message)  # outside the handler: the error and the tensors it refers to are freed
        return []

    def _step(self) -> list[OptimizationResult]:
        """Evaluate all slots, remove those that have finished, and update the others."""
        began = time.perf_counter()
        evaluation = self._evaluate()
        results = [self._result(i, evaluation) for i in range(len(self.slots))]
        unfinished = [i for i, result in enumerate(results) if result is None]
        if unfinished:
            self._update(unfinished, evaluation)
        seconds = (time.perf_counter() - began) / len(self.slots)
        for i in unfinished:
            self.slots[i].seconds += seconds
        if len(unfinished) < len(self.slots):
            self.slots, self._prepared = [self.slots[i] for i in unfinished], None
        # The last evaluation is part of the time that a task took.
        return [replace(result, seconds=result.seconds + seconds) for result in results if result is not None]

    def _update(self, unfinished: Sequence[int], evaluation: Evaluation) -> None:
        """Do one Adam step in each unfinished slot."""
        everything = len(unfinished) == len(self.slots)  # indexing would wait for the device
        loss = (evaluation.loss if everything else evaluation.loss[unfinished]).sum()
        slots = [self.slots[i] for i in unfinished]
        for i, slot in zip(unfinished, slots, strict=True):
            extra = slot.task.parametrization.extra_loss(evaluation.embeddings[i])
            if extra is not None:
                loss = loss + extra
        gradients = torch.autograd.grad(loss, [slot.parameter for slot in slots])
        for slot, gradient in zip(slots, gradients, strict=True):
            slot.parameter.grad = gradient
            slot.steps += 1
        adam = self._current().adam
        adam.step()
        adam.zero_grad()  # a slot that finishes has no gradient: its E is not changed any more

    def _reduce_memory(self, queue: Queue, message: str) -> None:
        """Put one slot back into the queue, with its progress; if there is only one, start to recompute layers.

        Raises:
            DeviceError: layers are recomputed already; `message` is the allocator's.
        """
        memory.empty_cache(self.mllm.device)
        self._prepared = None
        if len(self.slots) > 1:
            queue.appendleft(self.slots.pop())
            self._max_slots = len(self.slots)
        elif not self.forward.checkpointing:
            self.forward.enable_checkpointing()
            decoder = self.mllm.adapter.language_model(self.mllm.model)
            self._checkpointing.enter_context(activation_checkpointing(decoder))
        else:
            raise out_of_memory_error(self.mllm.device, message)

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _evaluate(self) -> Evaluation:
        """Evaluate the E of this step of all slots."""
        current = self._current()
        return self._run_model(self.slots, current.batch, current.targets, [slot.embedding() for slot in self.slots])

    def _current(self) -> Prepared:
        """Return what the steps of the present slots share."""
        if self._prepared is None:
            self._prepared = Prepared(*self._prepare(self.slots), self._make_adam())
        return self._prepared

    @torch.no_grad()
    def _evaluate_final(self, slot: Slot) -> Evaluation:
        """Evaluate the final E of one slot, which differs from that of its steps if they are stochastic."""
        return self._run_model([slot], *self._prepare([slot]), [slot.task.parametrization.final(slot.parameter)])

    def _prepare(self, slots: list[Slot]) -> tuple[Any, Tensor]:
        """Return the batch of the slots' tasks, and the ids of all its target tokens."""
        targets = [token for slot in slots for answer in slot.task.answers for token in answer]
        batch = self.forward.prepare_batch([slot.task for slot in slots])
        return batch, torch.tensor(targets, device=self.mllm.device)

    def _make_adam(self) -> torch.optim.Adam:
        """Return one Adam for all slots, each with a state of its own: on a GPU, a few launches update all."""
        groups: dict[float, list[Tensor]] = {}
        for slot in self.slots:
            groups.setdefault(slot.lr, []).append(slot.parameter)
        adam = torch.optim.Adam(
            [{"params": parameters, "lr": lr} for lr, parameters in groups.items()], betas=self.config.betas
        )
        for slot in self.slots:
            adam.state[slot.parameter] = slot.state
        return adam

    def _run_model(self, slots: list[Slot], batch: Any, targets: Tensor, embeddings: list[Tensor]) -> Evaluation:
        """Run LLM(P(E), x), teacher-forced, for every goal of the slots.

        The loss of a goal is the mean over its tokens, that of a slot the mean over its goals.
        """
        logits = self.forward.logits(batch, embeddings)
        n_goals = [len(slot.task.answers) for slot in slots]
        n_tokens = [len(answer) for slot in slots for answer in slot.task.answers]
        nll = nn.functional.cross_entropy(logits, targets, reduction="none")
        goal_losses = torch.stack([part.mean() for part in torch.split(nll, n_tokens)])
        loss = torch.stack([part.mean() for part in torch.split(goal_losses, n_goals)])
        token_margins = torch.split(target_margins(logits.detach(), targets), [_n_targets(slot) for slot in slots])
        margins = torch.stack([part.min() for part in token_margins])
        losses, margin_list = torch.stack([loss.detach(), margins]).tolist()  # one transfer from the device
        return Evaluation(slots, embeddings, loss, losses, margin_list, logits.detach(), targets)

    # --- results ----------------------------------------------------------------------------------------------------

    def _result(self, i: int, evaluation: Evaluation) -> OptimizationResult | None:
        """Return the result of a slot, or None if it has not finished.

        Called before the update, so that the E in the result is the one that was evaluated.
        """
        slot = evaluation.slots[i]
        out_of_steps = slot.steps >= slot.max_steps
        if slot.task.parametrization.stochastic and (out_of_steps or self._succeeds(i, evaluation)):
            i, evaluation = 0, self._evaluate_final(slot)
        loss, margin = evaluation.losses[i], evaluation.margins[i]
        if self._succeeds(i, evaluation):
            embedding = self.start.with_features(evaluation.embeddings[i].detach().to(self.mllm.dtype))
            numbers = slot.steps, loss, margin, slot.seconds
            return OptimizationResult(slot.task.id, "succeeded", "", *numbers, embedding, self._start_digest(slot.task))
        if not math.isfinite(loss):
            reason = "the loss is not a number: this model overflows with these settings (a smaller lr, another dtype?)"
        elif out_of_steps:
            reason = self._out_of_steps(i, evaluation)
        else:
            return None
        return OptimizationResult(slot.task.id, "failed", reason, slot.steps, loss, margin, slot.seconds, None)

    def _start_digest(self, task: OptimizationTask) -> str:
        return task.parametrization.start_digest(make_rng(task, 0, self.start.features.device))

    def _succeeds(self, i: int, evaluation: Evaluation) -> bool:
        return evaluation.margins[i] > self.config.margin and evaluation.losses[i] < self.config.loss

    def _out_of_steps(self, i: int, evaluation: Evaluation) -> str:
        """Say how far a slot is from success: the first wrong token, or the margin if every token is right."""
        loss, margin, steps = evaluation.losses[i], evaluation.margins[i], evaluation.slots[i].steps
        wrong = self._first_wrong_token(i, evaluation) if margin <= 0 else ""
        return f"no success in {number_of(steps, 'step')}: loss {loss:.3g}" + (
            f"; {wrong}" if wrong else f", margin {margin:.3g} with every token right"
        )

    def _first_wrong_token(self, i: int, evaluation: Evaluation) -> str:
        """Name the first target token that is not the most likely one; an empty string if there is none."""
        begin = sum(_n_targets(slot) for slot in evaluation.slots[:i])
        part = slice(begin, begin + _n_targets(evaluation.slots[i]))
        predicted, targets = evaluation.logits[part].argmax(-1).tolist(), evaluation.targets[part].tolist()
        decode = self.mllm.tokenizer.decode
        for token, target in zip(predicted, targets, strict=True):
            if token != target:
                return f"the model says {decode([token])!r} instead of {decode([target])!r}"
        return ""


def make_rng(task: OptimizationTask, number: int, device: torch.device) -> torch.Generator:
    """Return a task's random generator: number 0 is for its parameter, n for step n. A repeated step gets the same."""
    return torch.Generator(device).manual_seed(task.seed + number)


def target_margins(logits: Tensor, targets: Tensor) -> Tensor:
    """Return by how much each target's logit exceeds the largest other one; negative where another is larger."""
    target = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    return target - others


def _n_targets(slot: Slot) -> int:
    return sum(map(len, slot.task.answers))
