"""`-o lr=auto`: find the learning rate, which affects the number of steps most, on a few examples of the run itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError, number_of
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import TrialRecord

GRID = (0.03, 0.1, 0.3)
"""Learning rates to try, as multiples of the blank embedding's root mean square."""
EXAMPLES = 16
"""How many examples to try them on."""


def search_lr(
    mllm: MLLM,
    examples: Sequence[PreparedExample],
    config: OptimizeConfig,
    trials: JsonlLog[TrialRecord],
) -> OptimizeConfig:
    """Return the config with the learning rate that takes the fewest steps on the first examples.

    Args:
        trials: where the result of each rate on each example is stored, so that a stopped search can be resumed.

    Raises:
        SeaError: no example succeeded with any of the rates.
    """
    examples = examples[:EXAMPLES]
    for lr in GRID:
        done = {trial["id"] for trial in trials.read() if trial["lr"] == lr}
        remaining = [example for example in examples if example.id not in done]
        if not remaining:
            continue
        for result in optimize(mllm, remaining, replace(config, lr=lr, start="blank", compile=False)):
            trials.append([{"lr": lr, "id": result.id, "status": result.status, "steps": result.steps}])
    return replace(config, lr=best_lr(trials, config.steps, {example.id for example in examples}))


def best_lr(trials: JsonlLog[TrialRecord], max_steps: int, ids: Collection[str]) -> float:
    """Return the rate with the fewest steps over these examples; a failure counts as twice the maximum.

    Raises:
        SeaError: no example succeeded.
    """
    costs: dict[float, int] = {}
    successes = 0
    for trial in trials.read():
        if trial["id"] not in ids:  # from an earlier call with more examples
            continue
        succeeded = trial["status"] == "succeeded"
        successes += succeeded
        costs[trial["lr"]] = costs.get(trial["lr"], 0) + (trial["steps"] if succeeded else 2 * max_steps)
    if not successes:
        none = f"none of {number_of(len(ids), 'example')}"
        raise SeaError(
            f"lr=auto tried {', '.join(map(str, GRID))}, and {none} succeeded with any of them",
            hint="Type -o steps=1000 to allow more steps, or -o lr=NUMBER to try another rate.",
            where=str(trials.path),
        )
    return min(costs, key=lambda lr: costs[lr])
