"""Continuous against static batches: the 72 demo rows that need lognormal numbers of steps (sigma 0.8), 8 in flight."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import torch
from geometry import paired, told

from sea_core.data import demo
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.scheduler import Engine, Evaluation
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult
from sea_core.optimization.optimizer import make_task
from sea_core.plugin import loader

SLOTS = 8


@dataclass
class Scripted(Engine):
    """Ends each row after a given number of steps."""

    script: dict[str, int] = field(default_factory=dict)

    def _result(self, i: int, reading: Evaluation) -> OptimizationResult | None:
        slot = self.slots[i]
        if slot.steps < self.script[slot.task.id]:
            return None
        return OptimizationResult(slot.task.id, "failed", "", slot.steps, reading.losses[i], 0.0, 0.0, None)


def main() -> None:
    torch.set_num_threads(1)
    _, adapter = loader.adapter("qwen2_audio")
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    start = mllm.blank()
    rows = prepare(read_examples(demo.DEMO_EXAMPLES).examples, adapter).prepared
    tasks = [make_task(mllm, row, len(start)) for row in rows]
    rng = Random(0)
    steps = {task.id: min(300, max(1, round(20 * rng.lognormvariate(0, 0.8)))) for task in tasks}
    rules = EngineConfig(0.1 * start.rms, (0.9, 0.999), 10_000, 1e-9, 0.5, SLOTS)
    engine = Scripted(mllm, start, rules, Packed(mllm, start, tasks), script=steps)

    def continuous() -> None:
        list(engine.run(tasks))

    def static() -> None:
        """A batch of eight is computed whole until its slowest row is done."""
        for first in range(0, len(tasks), SLOTS):
            batch = tasks[first : first + SLOTS]
            slowest = max(steps[task.id] for task in batch)
            list(replace(engine, slots=[], script={task.id: slowest for task in batch}).run(batch))

    told("continuous against static batches", paired(continuous, static, 5))
    static_steps = sum(
        len(tasks[i : i + SLOTS]) * max(steps[t.id] for t in tasks[i : i + SLOTS]) for i in range(0, len(tasks), SLOTS)
    )
    print(f"row-steps: {sum(steps.values())} needed, {static_steps} in static batches")


if __name__ == "__main__":
    main()
