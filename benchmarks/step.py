"""A packed step against a plain step, and a whole loop against the plain loop, at narrow 7B geometry."""

from __future__ import annotations

import sys
from typing import Any

import torch
from geometry import FAMILIES, paired, tasks, told
from torch import Tensor, nn

from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine.forward import Sequential
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import compare, logits_and_grad
from sea_core.optimization.engine.types import EngineConfig, OptimizationTask

ROUNDS, LOOP_ROUNDS, ROWS, STEPS = 6, 3, 4, 4


def plain_loss(mllm: MLLM, start: Embedding, task: OptimizationTask, embedding: Tensor) -> Tensor:
    """The paper's look: a sequence for each goal, all logits, the library's forward."""
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


def plain_loop(mllm: MLLM, start: Embedding, rows: list[OptimizationTask]) -> None:
    """The paper's loop: one row after another, and a last look at what its last update made."""
    for task in rows:
        embedding = nn.Parameter(start.features.clone())
        adam = torch.optim.Adam([embedding], lr=0.01)
        for _ in range(STEPS):
            (embedding.grad,) = torch.autograd.grad(plain_loss(mllm, start, task, embedding), [embedding])
            adam.step()
        plain_loss(mllm, start, task, embedding)


def engine(mllm: MLLM, start: Embedding, forward: Any) -> Engine:
    return Engine(mllm, start, EngineConfig(0.01, (0.9, 0.999), STEPS, 1e-9, 0.5, batch_size=4), forward)


def main() -> None:
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        torch.manual_seed(0)
        mllm, start = FAMILIES[name]()
        rows = tasks(mllm, start, ROWS)
        packed, plain = Packed(mllm, start, rows), Sequential(mllm, start)
        compare(packed, plain, rows[0])
        ours, theirs = (
            logits_and_grad(packed, rows[0], start.features)[1],
            logits_and_grad(plain, rows[0], start.features)[1],
        )
        print(f"{name}: gradients differ by {relative_error(ours, theirs):.1e} of their size", flush=True)

        def packed_step() -> None:
            logits_and_grad(packed, rows[0], start.features)  # noqa: B023

        def plain_step() -> None:
            embedding = nn.Parameter(start.features.clone())  # noqa: B023
            torch.autograd.grad(plain_loss(mllm, start, rows[0], embedding), [embedding])  # noqa: B023

        def whole_loop() -> None:
            list(engine(mllm, start, packed).run(rows))  # noqa: B023

        def paper_loop() -> None:
            plain_loop(mllm, start, rows)  # noqa: B023

        told(f"{name}: packed step", paired(packed_step, plain_step, ROUNDS))
        told(f"{name}: whole loop, 4 rows in flight", paired(whole_loop, paper_loop, LOOP_ROUNDS, warm=0))


if __name__ == "__main__":
    main()
