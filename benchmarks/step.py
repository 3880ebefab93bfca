"""A packed step against a sequential one, and a whole run against the paper's loop, at narrow 7B geometry."""

from __future__ import annotations

from functools import partial

import torch
from geometry import FAMILIES, parse_families, random_tasks
from timing import compare_times, print_ratio
from torch import Tensor, nn

from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import compare, logits_and_grad
from sea_core.optimization.engine.types import EngineConfig, OptimizationTask

STEP_ROUNDS, RUN_ROUNDS, EXAMPLES, STEPS = 6, 3, 4, 4


def paper_loss(mllm: MLLM, start: Embedding, task: OptimizationTask, embedding: Tensor) -> Tensor:
    """Evaluate as the paper does: a sequence for each goal, all logits, the library's forward."""
    batch = mllm.batch(task.prompts, task.answers)
    with mllm.inject():
        hidden = mllm.backbone(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            use_cache=False,
            **stack([start.with_features(embedding)] * len(task.prompts)),
        ).last_hidden_state
    logits = mllm.model.get_output_embeddings()(hidden)[:, :-1].float()
    return nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels[:, 1:].flatten())


def paper_step(mllm: MLLM, start: Embedding, task: OptimizationTask) -> None:
    embedding = nn.Parameter(start.features.clone())
    torch.autograd.grad(paper_loss(mllm, start, task, embedding), [embedding])


def paper_loop(mllm: MLLM, start: Embedding, tasks: list[OptimizationTask]) -> None:
    """Optimise one task after another, and evaluate the result of the last update."""
    for task in tasks:
        embedding = nn.Parameter(start.features.clone())
        adam = torch.optim.Adam([embedding], lr=0.01)
        for _ in range(STEPS):
            (embedding.grad,) = torch.autograd.grad(paper_loss(mllm, start, task, embedding), [embedding])
            adam.step()
        paper_loss(mllm, start, task, embedding)


def engine_run(mllm: MLLM, start: Embedding, forward: ForwardStrategy, tasks: list[OptimizationTask]) -> None:
    config = EngineConfig(0.01, (0.9, 0.999), STEPS, 1e-9, 0.5, batch_size=EXAMPLES)
    list(Engine(mllm, start, config, forward).run(tasks))


def main() -> None:
    families = parse_families(__doc__)
    torch.set_num_threads(1)
    for name in families:
        torch.manual_seed(0)
        mllm, start = FAMILIES[name]()
        tasks = random_tasks(mllm, start, EXAMPLES)
        packed, sequential = Packed(mllm, start, tasks), Sequential(mllm, start)
        compare(packed, sequential, tasks[0])
        _, gradient = logits_and_grad(packed, tasks[0], start.features)
        _, reference = logits_and_grad(sequential, tasks[0], start.features)
        print(f"{name}: relative error of the gradient {relative_error(gradient, reference):.1e}", flush=True)

        packed_step = partial(logits_and_grad, packed, tasks[0], start.features)
        steps = compare_times(packed_step, partial(paper_step, mllm, start, tasks[0]), STEP_ROUNDS)
        print_ratio(f"{name}: packed step", steps)
        runs = compare_times(
            partial(engine_run, mllm, start, packed, tasks),
            partial(paper_loop, mllm, start, tasks),
            RUN_ROUNDS,
            warm_up=0,
        )
        print_ratio(f"{name}: whole run, batch size {EXAMPLES}", runs)


if __name__ == "__main__":
    main()
