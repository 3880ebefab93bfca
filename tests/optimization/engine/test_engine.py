"""The engine compared with the paper's loop, and one task among others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
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
"""Tasks finish soon, after different numbers of steps."""
FP64_ROUNDING = 1e-9
"""Between two ways to compute the same in fp64. In fp32 Adam amplifies rounding where a gradient is almost zero."""


class RecordingForward(ForwardStrategy):
    """Records each E that the engine evaluates."""

    def __init__(self, inner: ForwardStrategy) -> None:
        super().__init__(inner.mllm, inner.start)
        self.inner = inner
        self.evaluated: list[list[Tensor]] = []

    def shape(self, task: OptimizationTask) -> tuple[int, ...]:
        return self.inner.shape(task)

    def tokens(self, task: OptimizationTask) -> int:
        return self.inner.tokens(task)

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> Any:
        return self.inner.prepare_batch(tasks)

    def logits(self, seated: Any, embeddings: Sequence[Tensor]) -> Tensor:
        self.evaluated.append([e.detach().clone() for e in embeddings])
        return self.inner.logits(seated, embeddings)


def make_config(mllm: MLLM, **changes: float) -> EngineConfig:
    lr = 0.1 * mllm.blank().features.square().mean().sqrt().item()
    return replace(EngineConfig(lr, BETAS, steps=200, loss=0.01, margin=0.5, batch_size=3), **changes)  # type: ignore[arg-type]


def run(
    mllm: MLLM,
    examples: Iterable[PreparedExample],
    start: Embedding | None = None,
    *,
    packed: bool = True,
    **changes: float,
) -> dict[str, OptimizationResult]:
    return run_recorded(mllm, examples, start, packed=packed, **changes)[0]


def run_recorded(
    mllm: MLLM,
    examples: Iterable[PreparedExample],
    start: Embedding | None = None,
    *,
    packed: bool = True,
    **changes: float,
) -> tuple[dict[str, OptimizationResult], list[list[Tensor]]]:
    """Return the results, and the embeddings of the batch at each evaluation."""
    start = start or mllm.blank()
    tasks = [make_task(mllm, example, start) for example in examples]
    recording = RecordingForward(select_forward(mllm, start, tasks, packed=packed))
    assert recording.inner.name == ("packed" if packed else "sequential")
    engine = Engine(mllm, start, make_config(mllm, **changes), recording)
    return {result.id: result for result in engine.run(tasks)}, recording.evaluated


def truncated_blank(mllm: MLLM) -> Embedding:
    """Return the first vectors of the blank, to keep tests short."""
    return mllm.blank().with_features(mllm.blank().features[:10])


def paper_steps(mllm: MLLM, example: PreparedExample, count: int) -> list[Step]:
    """Return the first steps of the paper's loop; each is made once."""
    made, loop = begun_loop(mllm, example)
    made += islice(loop, max(0, count - len(made)))
    return made[:count]


@cache
def begun_loop(mllm: MLLM, example: PreparedExample) -> tuple[list[Step], Iterator[Step]]:
    return [], reference_loop(mllm, example.goals, mllm.blank().features, make_config(mllm).lr, BETAS)


def evaluate(mllm: MLLM, example: PreparedExample, embedding: Embedding) -> tuple[float, float]:
    """Return the loss and the smallest margin of an example at E, computed from the logits."""
    task = make_task(mllm, example, embedding)
    losses, margins = [], []
    with torch.no_grad():
        logits, targets, goal = mllm.answer_logits(mllm.batch(task.prompts, task.answers), [embedding] * 2)
    for number in range(len(task.prompts)):
        goal_logits, goal_targets = logits[goal == number], targets[goal == number]
        losses.append(nn.functional.cross_entropy(goal_logits, goal_targets).item())
        top = goal_logits.topk(2).values
        is_right = goal_logits.argmax(1) == goal_targets
        margins.append(torch.where(is_right, top[:, 0] - top[:, 1], -1.0).min().item())
    return sum(losses) / 2, min(margins)


both = pytest.mark.parametrize("packed", [True, False], ids=["packed", "sequential"])


# --- the paper's loop -------------------------------------------------------------------------------------------------


@both
def test_every_step_is_that_of_the_papers_loop(
    exact: MLLM, prepared: tuple[PreparedExample, ...], packed: bool
) -> None:
    _, evaluated = run_recorded(exact, prepared[:2], packed=packed, steps=24, loss=UNREACHABLE)
    assert len(evaluated) == 25
    for i, example in enumerate(prepared[:2]):
        steps = paper_steps(exact, example, 25)
        assert (steps[-1].embedding - steps[0].embedding).abs().max() > 0.1
        for number, step in enumerate(steps):
            assert (evaluated[number][i] - step.embedding).abs().max() <= FP64_ROUNDING, number


@both
def test_a_task_finishes_where_the_papers_loop_first_succeeds(
    exact: MLLM, prepared: tuple[PreparedExample, ...], packed: bool
) -> None:
    example = prepared[0]
    result = run(exact, [example], packed=packed)[example.id]
    *before, last = paper_steps(exact, example, result.steps + 1)
    assert result.status == "succeeded"
    assert not any(step.margin > 0.5 and step.loss < 0.01 for step in before)
    assert result.loss == pytest.approx(last.loss, abs=FP64_ROUNDING)
    assert result.margin == pytest.approx(last.margin, abs=FP64_ROUNDING)
    assert result.embedding is not None
    assert (result.embedding.features - last.embedding).abs().max() <= FP64_ROUNDING


def test_fp32_stays_close_to_fp64(mllm: MLLM, exact: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    _, evaluated = run_recorded(mllm, prepared[:1], steps=20, loss=UNREACHABLE)
    steps = paper_steps(exact, prepared[0], 21)
    distance = (steps[-1].embedding - steps[0].embedding).norm()
    assert (evaluated[-1][0] - steps[-1].embedding).norm() < 0.01 * distance


# --- one task among others -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[True, False], ids=["packed", "sequential"])
def alone(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], request: pytest.FixtureRequest
) -> tuple[bool, dict[str, OptimizationResult]]:
    """Eight tasks, one at a time; they finish after different numbers of steps."""
    results = run(mllm, prepared[:8], truncated_blank(mllm), packed=request.param, batch_size=1, **EASY)
    assert len({result.steps for result in results.values()}) > 2
    return request.param, results


@pytest.mark.parametrize(("batch_size", "backwards"), [(3, True), (8, False)])
def test_a_result_does_not_depend_on_the_other_tasks(
    mllm: MLLM,
    prepared: tuple[PreparedExample, ...],
    alone: tuple[bool, dict[str, OptimizationResult]],
    batch_size: int,
    backwards: bool,
) -> None:
    """To the last bit, in fp32 on a CPU."""
    packed, expected = alone
    examples = prepared[7::-1] if backwards else prepared[:8]
    together = run(mllm, examples, truncated_blank(mllm), packed=packed, batch_size=batch_size, **EASY)
    assert together.keys() == expected.keys()
    for task_id, alone_result in expected.items():
        result = together[task_id]
        assert (result.status, result.steps, result.loss) == ("succeeded", alone_result.steps, alone_result.loss)
        assert result.embedding is not None
        assert alone_result.embedding is not None
        assert torch.equal(result.embedding.features, alone_result.embedding.features)


def test_a_finished_task_leaves_its_slot_at_once(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    results, evaluated = run_recorded(mllm, prepared[:6], batch_size=2, **EASY)
    sizes = [len(embeddings) for embeddings in evaluated]
    assert sum(sizes) == sum(result.steps + 1 for result in results.values())
    assert sizes == sorted(sizes, reverse=True)  # both slots are taken until the queue is empty
    assert set(sizes) == {2, 1}


def test_a_loss_that_is_not_a_number_fails_its_own_task_only(
    spoilt: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    first, second, third = prepared[:3]
    tokens = [set(make_task(spoilt, example, Embedding.of_size(1)).answers[0]) for example in (first, second, third)]
    only_in_second = min(tokens[1] - tokens[0] - tokens[2])
    with torch.no_grad():
        spoilt.model.get_input_embeddings().weight[only_in_second] = torch.nan
    results = run(spoilt, (first, second, third), **EASY)
    assert results[second.id].status == "failed"
    assert "not a number" in results[second.id].reason
    assert results[second.id].embedding is None
    assert {results[first.id].status, results[third.id].status} == {"succeeded"}


# --- success and failure ---------------------------------------------------------------------------------------------


def test_margin_and_loss_are_both_needed(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    example = prepared[0]
    margin = run(mllm, [example], loss=100.0, margin=4.0)[example.id]
    loss = run(mllm, [example], loss=0.1, margin=-100.0)[example.id]
    both = run(mllm, [example], loss=0.1, margin=4.0)[example.id]
    assert margin.margin > 4.0
    assert loss.loss < 0.1
    assert margin.steps != loss.steps
    assert both.steps >= max(margin.steps, loss.steps)
    assert both.margin > 4.0
    assert both.loss < 0.1


def test_out_of_steps_names_the_first_wrong_token(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    example = prepared[0]
    result = run(mllm, [example], steps=2)[example.id]
    generated = mllm.detokenize(mllm.generate([example.goals[0].prompt], [mllm.blank()], 1)[0])
    target = mllm.detokenize(mllm.answer_ids(example.goals[0].answer)[:1])
    assert (result.status, result.steps, result.embedding) == ("failed", 2, None)
    assert result.reason.startswith("no success in 2 steps: loss ")
    assert f"the model says {generated!r} instead of {target!r}" in result.reason


def test_out_of_steps_with_every_token_right_says_so(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    example = prepared[0]
    result = run(mllm, [example], steps=100, margin=1000.0)[example.id]
    assert result.status == "failed"
    assert result.reason.endswith("with every token right")


def test_no_step_is_taken_if_the_blank_already_succeeds(mllm: MLLM) -> None:
    start = mllm.blank()
    question = f"What is the style of the {mllm.adapter.noun}?"
    answer = mllm.detokenize(mllm.generate([question], [start])[0])
    task = OptimizationTask("blank", (mllm.prompt_ids(question, start),), (mllm.answer_ids(answer),))
    (result,) = Engine(mllm, start, make_config(mllm, loss=1.0, margin=0.0), select_forward(mllm, start, [task])).run(
        [task]
    )
    assert (result.status, result.steps) == ("succeeded", 0)
    assert result.embedding is not None
    assert torch.equal(result.embedding.features, start.features)


def test_the_embedding_in_the_result_is_the_one_that_was_evaluated(
    mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    example = prepared[0]
    result = run(mllm, [example])[example.id]
    assert result.embedding is not None
    assert result.embedding.features.dtype == torch.float32
    loss, margin = evaluate(mllm, example, result.embedding)
    assert loss == pytest.approx(result.loss, rel=1e-4)
    assert margin == pytest.approx(result.margin, rel=1e-4)


def test_in_bf16_the_embedding_in_the_result_is_the_one_that_was_evaluated(
    rough: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    example = prepared[0]
    result = run(rough, [example], batch_size=1, packed=False)[example.id]
    assert result.embedding is not None
    assert result.embedding.features.dtype == torch.bfloat16
    loss, margin = evaluate(rough, example, result.embedding)
    assert loss == pytest.approx(result.loss, rel=1e-6)
    assert margin == pytest.approx(result.margin, rel=1e-6)


def test_each_goal_has_the_same_weight_in_the_loss(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    """The loss that transformers computes from `labels` weighs each token the same, and so the longer answer more."""
    long = replace(prepared[0], goals=(prepared[0].goals[0], Goal("What is it?", "a")))
    result = run(mllm, [long], steps=1)[long.id]
    assert result.loss == pytest.approx(paper_steps(mllm, long, 2)[1].loss, rel=1e-4)
