"""CPU seconds per successful example, several ways in one process, on the same demo examples by the same criterion.

1. The paper's loop, as in docs/explanation/method.md: one sequence per goal through the model's ordinary forward pass,
   one example after another.
2. The same sequences in batches of 8 examples: a batch starts when the one before has ended. Only the encoder, which
   the loop runs at every step, is left out.
3. The engine with the loop's start, step size and Adam.
4. The engine with its defaults, and with the settings of the last argument, where these differ.
"""

from __future__ import annotations

import importlib.util
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import torch
from bundled import demo_examples, load_plugin
from levers import read_config, run_config

from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.scheduler import Engine, Queue
from sea_core.optimization.optimizer import Optimization

EXAMPLES, BATCH_SIZE, MARGIN = 24, 8, 0.5
PAPER = OptimizeConfig(lr=0.1, beta1=0.9, beta2=0.999, start="blank", margin="auto")
FAMILIES = {"qwen2_audio": "audio", "llava": "image", "qwen2_vl": "video"}
LOOP = Path(__file__).parents[1] / "tests" / "helpers" / "reference_loop.py"

Run = Callable[[], Sequence[int]]
"""Optimises all examples, and returns the steps of those that succeeded."""


class StaticEngine(Engine):
    """Takes no task until all tasks of the batch have finished."""

    def _fill_slots(self, queue: Queue) -> None:
        if not self.slots:
            super()._fill_slots(queue)


def load_reference_loop() -> Any:
    """Return the loop's function, from a file that is not in a package."""
    spec = importlib.util.spec_from_file_location("paper_loop", LOOP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["paper_loop"] = module
    spec.loader.exec_module(module)
    return module.reference_loop


def run_loop(loop: Any, mllm: MLLM, examples: Sequence[PreparedExample]) -> list[int]:
    start, found = mllm.blank(), []
    for example in examples:
        steps = loop(mllm, example.goals, start.features, 0.1 * start.rms, (PAPER.beta1, PAPER.beta2))
        for number, step in enumerate(islice(steps, PAPER.steps + 1)):
            if step.margin > MARGIN and step.loss < PAPER.loss:
                found.append(number)
                break
    return found


def run_static(mllm: MLLM, examples: Sequence[PreparedExample]) -> list[int]:
    optimization = Optimization(mllm, examples, replace(PAPER, margin=MARGIN, packed=False, batch_size=BATCH_SIZE))
    engine = StaticEngine(mllm, optimization.start, optimization.engine_config, optimization.forward)
    return [result.steps for result in engine.run(optimization.tasks) if result.status == "succeeded"]


def run_engine(mllm: MLLM, examples: Sequence[PreparedExample], config: OptimizeConfig) -> list[int]:
    return [result.steps for result in run_config(mllm, examples, config) if result.status == "succeeded"]


def measure(loop: Any, family: str, text: str) -> None:
    """Print a line for each way, with its seconds per successful example and their ratio to the loop's."""
    config = read_config(text)
    mllm = load_plugin(family, FAMILIES[family])
    examples = demo_examples(mllm.adapter)[:EXAMPLES]
    run_engine(mllm, examples[:2], replace(PAPER, steps=3))  # warm up
    ways: dict[str, Run] = {
        "paper's loop": lambda: run_loop(loop, mllm, examples),
        f"the same, batches of {BATCH_SIZE}": lambda: run_static(mllm, examples),
    }
    named = {PAPER: "the loop's settings", OptimizeConfig(): "defaults", config: text or "defaults"}
    ways |= {f"engine, {name}": partial(run_engine, mllm, examples, own) for own, name in named.items()}
    baseline = 0.0
    for name, run in ways.items():
        began = process_time()
        steps = run()
        seconds = (process_time() - began) / len(steps)
        baseline = baseline or seconds
        print(
            f"| {family}, {FAMILIES[family]} | {name} | {len(steps)} of {len(examples)} | {median(steps):g} | "
            f"{seconds:.3f} | x{baseline / seconds:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="?", default=",".join(FAMILIES), help="separated by commas; default: all")
    parser.add_argument("options", nargs="?", default="", help="settings of the last way, as in 'lr=0.2 beta1=0.5'")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    loop = load_reference_loop()
    print("| family | way | succeeded | median steps | CPU seconds per success | ratio |\n|---|---|---|---|---|---|")
    for family in arguments.families.split(","):
        measure(loop, family, arguments.options)


if __name__ == "__main__":
    main()
