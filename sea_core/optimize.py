"""The method (paper, section 3.2): start at the blank embedding, descend until the model says both goals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sea_core.embedding import Embedding
from sea_core.engine import Engine, Outcome, Rules, Task, choose
from sea_core.errors import ModelError, SeaError
from sea_core.mllm import MLLM
from sea_core.rows import PreparedRow


@dataclass(frozen=True)
class OptimizeConfig:
    """Every number of an optimisation. Each is settable: `-o lr=0.2`."""

    lr: float = 0.1
    """Adam's step size, as a multiple of the blank embedding's root mean square."""
    steps: int = 300
    """Updates for one row at most; a row that is not there by then has failed."""
    loss: float = 0.01
    """A row is done only when the mean loss is below this: the first exact answer comes too early to generalise."""
    margin: float = 0.5
    """A row is done only when each target token beats every other by this many logits: rounding cannot undo it."""
    batch_size: int = 8
    """Rows optimised at a time. The result of a row does not depend on it."""
    packed: bool = True
    """Compute the media once for all goals of a row, where the family allows it."""
    compile: bool = False
    """Compile the decoder with torch.compile: a minute or more at the start, then faster steps."""
    beta1: float = 0.9
    """Adam's memory of the gradient."""
    beta2: float = 0.999
    """Adam's memory of its square."""
    seed: int = 0
    """Draws the style of each row, by the row's id."""
    benign: Literal["embed", "text"] = "embed"
    """Benign rows get an embedding of their own activity (`embed`), or stay text rows as in the paper (`text`)."""

    def __post_init__(self) -> None:
        for name in ("lr", "steps", "loss", "batch_size"):
            self._require(name, getattr(self, name) > 0, "be above zero")
        self._require("lr", self.lr <= 100, "be at most 100 times the blank's size")
        self._require("margin", self.margin >= 0, "not be negative")
        for name in ("beta1", "beta2"):
            self._require(name, 0 <= getattr(self, name) < 1, "be at least 0 and below 1")
        self._require("benign", self.benign in ("embed", "text"), "be embed or text")

    def _require(self, name: str, good: bool, what: str) -> None:
        if not good:
            default = getattr(type(self), name)
            raise SeaError(
                f"{name} is {getattr(self, name)}, but it must {what}", hint=f"Type for example: -o {name}={default}"
            )


def optimize(
    mllm: MLLM,
    rows: Sequence[PreparedRow],
    config: OptimizeConfig = OptimizeConfig(),
    *,
    blank: Embedding | None = None,
) -> Iterator[Outcome]:
    """Find a synthetic embedding for each row. Yields outcomes as rows finish, not in the order of the rows.

    Args:
        mllm: the frozen model; the caller owns it.
        blank: the E to start from; by default the encoder's output for the adapter's blank input.
    """
    start = mllm.blank() if blank is None else blank.with_rows(blank.rows.to(mllm.device, mllm.wide_dtype))
    if not 0 < start.scale < float("inf"):
        raise ModelError(
            f"the blank {mllm.adapter.noun}'s embedding has the size {start.scale}, which the step size is relative to",
            hint="Check the adapter's `blank_input` and `projector`; is the checkpoint whole?",
        )
    rules = Rules(
        lr=config.lr * start.scale,
        betas=(config.beta1, config.beta2),
        steps=config.steps,
        loss=config.loss,
        margin=config.margin,
        slots=config.batch_size,
    )
    tasks = []
    for row in rows:
        task = task_of(mllm, row, len(start))
        if reason := too_long(mllm, task):
            yield Outcome(row.id, "failed", reason, 0, float("nan"), float("nan"), 0.0, None)
        else:
            tasks.append(task)
    forward = choose(mllm, start, tasks, packed=config.packed, compiled=config.compile)
    yield from Engine(mllm, start, rules, forward).run(tasks)


def task_of(mllm: MLLM, row: PreparedRow, n_rows: int) -> Task:
    """Return the row's goals as token ids, with placeholders for an E of `n_rows` rows."""
    prompts = tuple(mllm.prompt_ids(goal.prompt, n_rows) for goal in row.goals)
    return Task(row.id, prompts, tuple(mllm.answer_ids(goal.answer) for goal in row.goals))


def too_long(mllm: MLLM, task: Task) -> str:
    """Say why a task does not fit the model's positions, or return an empty string."""
    longest = max(len(p) + len(a) for p, a in zip(task.prompts, task.answers, strict=True))
    if (most := mllm.max_length) and longest > most:
        return f"too long: {longest} tokens, but the model holds {most} (a shorter blank, or a shorter row?)"
    return ""
