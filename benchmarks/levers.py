"""Settings that change the number of steps, on one half of the demo examples: steps, CPU seconds and VSR of each.

The demo examples are split by a fixed seed: settings are chosen on the half `choose` and reported on the half `report`.
With `start=solved` the first examples of the half start at the blank, and the seconds are those of all examples.
"""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace

import torch
from bundled import STUDENTS, demo_examples, load_bundled, load_student
from recipes import format_row, judge_answers

from sea_core.config import override, parse_overrides, reject_unknown, setting_names
from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import optimize
from sea_core.optimization.solved_start import first_examples, mean_start

SPLIT_SEED = 17
HALVES = ("choose", "report", "all")
LEVERS = (
    "lr=0.1 beta1=0.9 beta2=0.999",
    "lr=0.2 beta1=0.9 beta2=0.999",
    "lr=0.3 beta1=0.9 beta2=0.999",
    "lr=0.1 beta1=0.9 beta2=0.95",
    "lr=0.1 beta1=0.5 beta2=0.9",
    "lr=0.2 beta1=0.5 beta2=0.9",
    "lr=0.1 beta1=0.9 beta2=0.999 start=solved",
    "lr=0.2 beta1=0.5 beta2=0.9 start=solved",
)


def read_config(text: str) -> OptimizeConfig:
    """Return the settings in a text such as `lr=0.2 start=solved`."""
    config, unknown = override(OptimizeConfig(), parse_overrides(None, text.split()))
    reject_unknown(unknown, setting_names(config))
    return config


def take_half(examples: Sequence[PreparedExample], half: str) -> list[PreparedExample]:
    """Return the examples of a half, in file order."""
    numbers = list(range(len(examples)))
    random.Random(SPLIT_SEED).shuffle(numbers)
    middle = len(numbers) // 2
    wanted = {"choose": numbers[:middle], "report": numbers[middle:], "all": numbers}[half]
    return [examples[number] for number in sorted(wanted)]


def run_config(mllm: MLLM, examples: Sequence[PreparedExample], config: OptimizeConfig) -> list[OptimizationResult]:
    """Optimise the examples as `sea optimize` does, without a run folder."""
    if config.start == "blank":
        return list(optimize(mllm, examples, config))
    first = first_examples(examples)
    results = list(optimize(mllm, first, replace(config, start="blank")))
    by_id = {result.id: result.embedding for result in results}
    start = mean_start([embedding for example in first if (embedding := by_id[example.id])])
    return results + list(optimize(mllm, [e for e in examples if e not in first], config, start=start))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=STUDENTS)
    parser.add_argument("half", nargs="?", default="report", choices=HALVES)
    parser.add_argument("levers", nargs="*", metavar="SETTINGS", help="as in 'lr=0.2 start=solved'; default: a list")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    student = load_student(arguments.model)
    mllm = load_bundled(student.adapter)
    examples = take_half(demo_examples(student.adapter), arguments.half)
    by_id = {example.id: example for example in examples}
    print("| model | settings | succeeded | median steps | p90 steps | CPU s | VSR |\n|---|---|---|---|---|---|---|")
    for lever in arguments.levers or LEVERS:
        began = time.process_time()
        results = run_config(mllm, examples, read_config(lever))
        cpu = time.process_time() - began
        verdicts = judge_answers(mllm, by_id, [result for result in results if result.status == "succeeded"])
        print(format_row(f"{arguments.model}, {arguments.half}", lever, results, verdicts, cpu), flush=True)


if __name__ == "__main__":
    main()
