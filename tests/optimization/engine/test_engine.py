"""The engine against the paper's plain loop, and what happens to one row among others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.reference_loop import Step, reference_loop
from sea_core.data.examples import Goal, PreparedExample
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask
from sea_core.optimization.optimizer import make_task

BETAS = (0.8, 0.99)
UNREACHABLE = 1e-12
EASY = {"loss": 0.7, "margin": -100.0, "steps": 40}
"""Rows end soon, after different numbers of steps."""
ROUNDING = 1e-9
"""Between two ways to compute the same in fp64. In fp32, Adam blows rounding up where a gradient is almost zero."""


class Watched(ForwardStrategy):
    """Keeps each E that the engine shows to the model."""

    def __init__(self, inner: ForwardStrategy) -> None:
        super().__init__(inner.mllm, inner.start)
        self.inner = inner
        self.seen: list[list[Tensor]] = []

    def shape(self, task: OptimizationTask) -> tuple[int, ...]:
        return self.inner.shape(task)

    def tokens(self, task: OptimizationTask) -> int:
        return self.inner.tokens(task)

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> Any:
        return self.inner.prepare_batch(tasks)

    def logits(self, seated: Any, embeddings: Sequence[Tensor]) -> Tensor:
        self.seen.append([e.detach().clone() for e in embeddings])
        return self.inner.logits(seated, embeddings)


def rules(mllm: MLLM, **told: float) -> EngineConfig:
    lr = 0.1 * mllm.blank().features.square().mean().sqrt().item()
    return replace(EngineConfig(lr, BETAS, steps=200, loss=0.01, margin=0.5, batch_size=3), **told)  # type: ignore[arg-type]


def run(
    mllm: MLLM, rows: Iterable[PreparedExample], start: Embedding | None = None, *, packed: bool = True, **told: float
) -> dict[str, OptimizationResult]:
    return watch(mllm, rows, start, packed=packed, **told)[0]


def watch(
    mllm: MLLM, rows: Iterable[PreparedExample], start: Embedding | None = None, *, packed: bool = True, **told: float
) -> tuple[dict[str, OptimizationResult], list[list[Tensor]]]:
    """Return the outcomes, and the embeddings of the rows in flight at each look."""
    start = start or mllm.blank()
    tasks = [make_task(mllm, row, len(start)) for row in rows]
    watched = Watched(select_forward(mllm, start, tasks, packed=packed))
    assert watched.inner.name == ("packed" if packed else "sequential")
    engine = Engine(mllm, start, rules(mllm, **told), watched)
    return {outcome.id: outcome for outcome in engine.run(tasks)}, watched.seen


def short(mllm: MLLM) -> Embedding:
    """Return the first rows of the blank, for tests that would take long."""
    return mllm.blank().with_features(mllm.blank().features[:10])


def looks(mllm: MLLM, row: PreparedExample, count: int) -> list[Step]:
    return list(islice(reference_loop(mllm, row.goals, mllm.blank().features, rules(mllm).lr, BETAS), count))


def reading(mllm: MLLM, row: PreparedExample, embedding: Embedding) -> tuple[float, float]:
    """Return loss and least margin of a row at E, computed from the bare logits."""
    task = make_task(mllm, row, len(embedding))
    losses, margins = [], []
    with torch.no_grad():
        logits, targets, goal = mllm.answer_logits(mllm.batch(task.prompts, task.answers), [embedding] * 2)
    for number in range(len(task.prompts)):
        mine, wanted = logits[goal == number], targets[goal == number]
        losses.append(nn.functional.cross_entropy(mine, wanted).item())
        top = mine.topk(2).values
        right = mine.argmax(1) == wanted
        margins.append(torch.where(right, top[:, 0] - top[:, 1], -1.0).min().item())
    return sum(losses) / 2, min(margins)


both = pytest.mark.parametrize("packed", [True, False], ids=["packed", "sequential"])


# --- the plain loop ---------------------------------------------------------------------------------------------------


@both
def test_every_step_is_the_plain_loops(exact: MLLM, prepared: tuple[PreparedExample, ...], packed: bool) -> None:
    _, seen = watch(exact, prepared[:2], packed=packed, steps=24, loss=UNREACHABLE)
    assert len(seen) == 25
    for i, row in enumerate(prepared[:2]):
        plain = looks(exact, row, 25)
        assert (plain[-1].embedding - plain[0].embedding).abs().max() > 0.1
        for step, look in enumerate(plain):
            assert (seen[step][i] - look.embedding).abs().max() <= ROUNDING, step


@both
def test_a_row_ends_where_the_plain_loop_first_says_both_goals(
    exact: MLLM, prepared: tuple[PreparedExample, ...], packed: bool
) -> None:
    row = prepared[0]
    outcome = run(exact, [row], packed=packed)[row.id]
    *before, last = looks(exact, row, outcome.steps + 1)
    assert outcome.status == "succeeded"
    assert not any(look.margin > 0.5 and look.loss < 0.01 for look in before)
    assert outcome.loss == pytest.approx(last.loss, abs=ROUNDING)
    assert outcome.margin == pytest.approx(last.margin, abs=ROUNDING)
    assert outcome.embedding is not None
    assert (outcome.embedding.features - last.embedding).abs().max() <= ROUNDING


def test_fp32_keeps_close_to_fp64(mllm: MLLM, exact: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    _, seen = watch(mllm, prepared[:1], steps=20, loss=UNREACHABLE)
    plain = looks(exact, prepared[0], 21)
    moved = (plain[-1].embedding - plain[0].embedding).norm()
    assert (seen[-1][0] - plain[-1].embedding).norm() < 0.01 * moved


# --- one row among others ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[True, False], ids=["packed", "sequential"])
def alone(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], request: pytest.FixtureRequest
) -> tuple[bool, dict[str, OptimizationResult]]:
    """Eight rows, one at a time; they end after different numbers of steps."""
    ended = run(mllm, prepared[:8], short(mllm), packed=request.param, batch_size=1, **EASY)
    assert len({outcome.steps for outcome in ended.values()}) > 2
    return request.param, ended


@pytest.mark.parametrize(("slots", "backwards"), [(3, True), (8, False)])
def test_a_row_depends_on_nothing_but_itself(
    mllm: MLLM,
    prepared: tuple[PreparedExample, ...],
    alone: tuple[bool, dict[str, OptimizationResult]],
    slots: int,
    backwards: bool,
) -> None:
    """To the last bit, whatever runs beside it: in fp32 on a CPU."""
    packed, expected = alone
    rows = prepared[7::-1] if backwards else prepared[:8]
    together = run(mllm, rows, short(mllm), packed=packed, batch_size=slots, **EASY)
    assert together.keys() == expected.keys()
    for row_id, wanted in expected.items():
        found = together[row_id]
        assert (found.status, found.steps, found.loss) == ("succeeded", wanted.steps, wanted.loss)
        assert found.embedding is not None
        assert wanted.embedding is not None
        assert torch.equal(found.embedding.features, wanted.embedding.features)


def test_a_row_that_is_done_makes_room_at_once(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    ended, seen = watch(mllm, prepared[:6], batch_size=2, **EASY)
    in_flight = [len(embeddings) for embeddings in seen]
    assert sum(in_flight) == sum(outcome.steps + 1 for outcome in ended.values())
    assert in_flight == sorted(in_flight, reverse=True)  # both slots are taken until the queue is empty
    assert set(in_flight) == {2, 1}


def test_loss_that_is_not_a_number_fails_its_row_only(spoilt: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    rows = prepared[:3]
    words = [set(make_task(spoilt, row, 1).answers[0]) for row in rows]
    only_here = min(words[1] - words[0] - words[2])
    with torch.no_grad():
        spoilt.model.get_input_embeddings().weight[only_here] = torch.nan
    ended = run(spoilt, rows, **EASY)
    assert ended[rows[1].id].status == "failed"
    assert "not a number" in ended[rows[1].id].reason
    assert ended[rows[1].id].embedding is None
    assert {ended[rows[0].id].status, ended[rows[2].id].status} == {"succeeded"}


# --- when a row is done -----------------------------------------------------------------------------------------------


def test_margin_and_loss_are_both_needed(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    row = prepared[0]
    margin = run(mllm, [row], loss=100.0, margin=4.0)[row.id]
    loss = run(mllm, [row], loss=0.1, margin=-100.0)[row.id]
    both = run(mllm, [row], loss=0.1, margin=4.0)[row.id]
    assert margin.margin > 4.0
    assert loss.loss < 0.1
    assert margin.steps != loss.steps
    assert both.steps >= max(margin.steps, loss.steps)
    assert both.margin > 4.0
    assert both.loss < 0.1


def test_out_of_steps_names_the_first_wrong_token(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    row = prepared[0]
    outcome = run(mllm, [row], steps=2)[row.id]
    said = mllm.detokenize(mllm.generate([row.goals[0].prompt], [mllm.blank()], 1)[0])
    wanted = mllm.detokenize(mllm.answer_ids(row.goals[0].answer)[:1])
    assert (outcome.status, outcome.steps, outcome.embedding) == ("failed", 2, None)
    assert outcome.reason.startswith("no success in 2 steps: loss ")
    assert f"the model says {said!r} instead of {wanted!r}" in outcome.reason


def test_out_of_steps_with_every_token_right_says_so(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    row = prepared[0]
    outcome = run(mllm, [row], steps=100, margin=1000.0)[row.id]
    assert outcome.status == "failed"
    assert outcome.reason.endswith("with every token right")


def test_a_model_that_says_both_at_once_takes_no_step(mllm: MLLM) -> None:
    start = mllm.blank()
    question = f"What is the style of the {mllm.adapter.noun}?"
    answer = mllm.detokenize(mllm.generate([question], [start])[0])
    task = OptimizationTask("blank", (mllm.prompt_ids(question, len(start)),), (mllm.answer_ids(answer),))
    (outcome,) = Engine(mllm, start, rules(mllm, loss=1.0, margin=0.0), select_forward(mllm, start, [task])).run([task])
    assert (outcome.status, outcome.steps) == ("succeeded", 0)
    assert outcome.embedding is not None
    assert torch.equal(outcome.embedding.features, start.features)


def test_the_embedding_that_comes_out_is_the_one_that_was_checked(
    mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    row = prepared[0]
    outcome = run(mllm, [row])[row.id]
    assert outcome.embedding is not None
    assert outcome.embedding.features.dtype == torch.float32
    loss, margin = reading(mllm, row, outcome.embedding)
    assert loss == pytest.approx(outcome.loss, rel=1e-4)
    assert margin == pytest.approx(outcome.margin, rel=1e-4)


def test_in_bf16_the_stored_rounding_is_the_one_that_was_checked(
    rough: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    row = prepared[0]
    outcome = run(rough, [row], batch_size=1, packed=False)[row.id]
    assert outcome.embedding is not None
    assert outcome.embedding.features.dtype == torch.bfloat16
    loss, margin = reading(rough, row, outcome.embedding)
    assert loss == pytest.approx(outcome.loss, rel=1e-6)
    assert margin == pytest.approx(outcome.margin, rel=1e-6)


def test_the_loss_weighs_each_goal_the_same(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    """The library's own `labels` loss would weigh each token the same, and so the longer answer more."""
    long = replace(prepared[0], goals=(prepared[0].goals[0], Goal("What is it?", "a")))
    outcome = run(mllm, [long], steps=1)[long.id]
    assert outcome.loss == pytest.approx(looks(mllm, long, 2)[1].loss, rel=1e-4)
