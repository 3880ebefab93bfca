"""Time per successful example: the engine against the paper's loop, on the same demo examples by the same criterion.

The loop is that of docs/explanation/method.md: one sequence per goal through the model's ordinary forward pass, one
example after another. Step size, maximum number of steps and criterion are SEA's, so that only the engine differs.
"""

from __future__ import annotations

import importlib.util
import sys
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any

import torch
from bundled import demo_examples, load_plugin

from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize

EXAMPLES = 24
MARGIN = 0.5
FAMILIES = {"qwen2_audio": "audio", "llava": "image", "qwen2_vl": "video"}
LOOP = Path(__file__).parents[1] / "tests" / "helpers" / "reference_loop.py"


def load_reference_loop() -> Any:
    """Return the loop's function, from a file that is not in a package."""
    spec = importlib.util.spec_from_file_location("paper_loop", LOOP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["paper_loop"] = module
    spec.loader.exec_module(module)
    return module.reference_loop


def measure(loop: Any, family: str) -> str:
    """Return a line with the seconds per successful example of both, and their ratio."""
    mllm, config = load_plugin(family, FAMILIES[family]), OptimizeConfig()
    examples, start = demo_examples(mllm.adapter)[:EXAMPLES], mllm.blank()
    lr, betas = 0.1 * start.rms, (config.beta1, config.beta2)

    began = process_time()
    engine_successes = sum(result.status == "succeeded" for result in optimize(mllm, examples, config))
    engine_seconds = (process_time() - began) / engine_successes

    began, loop_successes = process_time(), 0
    for example in examples:
        steps = islice(loop(mllm, example.goals, start.features, lr, betas), config.steps + 1)
        loop_successes += any(step.margin > MARGIN and step.loss < config.loss for step in steps)
    loop_seconds = (process_time() - began) / loop_successes
    return (
        f"{family}, {FAMILIES[family]}: engine {engine_seconds:.3f} s ({engine_successes} successes), "
        f"paper's loop {loop_seconds:.3f} s ({loop_successes} successes), x{loop_seconds / engine_seconds:.2f}"
    )


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"any of {', '.join(FAMILIES)}; default: all")
    families = parser.parse_args().families or list(FAMILIES)
    torch.set_num_threads(1)
    loop = load_reference_loop()
    for family in families:
        print(measure(loop, family), flush=True)


if __name__ == "__main__":
    main()
