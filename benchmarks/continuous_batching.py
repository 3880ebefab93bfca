"""Continuous against static batches: the 72 demo examples, with lognormal numbers of steps (sigma 0.8), 8 at a time."""

from __future__ import annotations

from argparse import ArgumentParser
from random import Random

import torch
from bundled import demo_examples, load_plugin
from timing import compare_times, print_ratio

from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.scheduler import Engine, Evaluation
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask
from sea_core.optimization.optimizer import make_task

BATCH_SIZE = 8


class ScriptedEngine(Engine):
    """Ends each task after a given number of steps."""

    script: dict[str, int]

    def _result(self, i: int, evaluation: Evaluation) -> OptimizationResult | None:
        slot = self.slots[i]
        if slot.steps < self.script[slot.task.id]:
            return None
        return OptimizationResult(slot.task.id, "failed", "", slot.steps, evaluation.losses[i], 0.0, 0.0, None)

    def run_script(self, tasks: list[OptimizationTask], script: dict[str, int]) -> None:
        self.script = script
        list(self.run(tasks))


def main() -> None:
    ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    mllm = load_plugin("qwen2_audio")
    start = mllm.blank()
    tasks = [make_task(mllm, example, start) for example in demo_examples(mllm.adapter)]
    rng = Random(0)
    steps = {task.id: min(300, max(1, round(20 * rng.lognormvariate(0, 0.8)))) for task in tasks}
    config = EngineConfig(0.1 * start.rms, (0.9, 0.999), 10_000, 1e-9, 0.5, BATCH_SIZE)
    engine = ScriptedEngine(mllm, start, config, Packed(mllm, start, tasks))
    batches = [tasks[first : first + BATCH_SIZE] for first in range(0, len(tasks), BATCH_SIZE)]
    slowest = [max(steps[task.id] for task in batch) for batch in batches]

    def continuous() -> None:
        engine.run_script(tasks, steps)

    def static() -> None:
        """Compute each whole batch until its slowest task has finished."""
        for batch, most in zip(batches, slowest, strict=True):
            engine.run_script(batch, {task.id: most for task in batch})

    print_ratio("continuous against static batches", compare_times(continuous, static, 5))
    static_steps = sum(len(batch) * most for batch, most in zip(batches, slowest, strict=True))
    print(f"steps of examples: {sum(steps.values())} needed, {static_steps} in static batches")


if __name__ == "__main__":
    main()
