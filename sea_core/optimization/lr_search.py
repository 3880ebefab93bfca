"""`-o lr=auto`: the largest lever on the number of steps, found on a few rows of the run itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.runs.jsonl import JsonlLog

GRID = (0.03, 0.1, 0.3)
"""Times the blank embedding's root mean square."""
EXAMPLES = 16


def search_lr(
    mllm: MLLM,
    rows: Sequence[PreparedExample],
    config: OptimizeConfig,
    journal: JsonlLog,
    *,
    blank: Embedding | None = None,
) -> OptimizeConfig:
    """Return the config with the learning rate that reaches most of the first rows, in the fewest steps.

    What each rate made of each row is kept in `journal` as it comes, so that a stopped tuning goes on where it was.

    Raises:
        SeaError: none of the rates reached a single row.
    """
    rows = rows[:EXAMPLES]
    for lr in GRID:
        done = {row["id"] for row in journal.read() if row["lr"] == lr}
        left = [row for row in rows if row.id not in done]
        if not left:
            continue
        for outcome in optimize(mllm, left, replace(config, lr=lr), blank=blank):
            journal.append([{"lr": lr, "id": outcome.id, "status": outcome.status, "steps": outcome.steps}])
    return replace(config, lr=best_lr(journal, config.steps, {row.id for row in rows}))


def best_lr(journal: JsonlLog, steps: int, ids: Collection[str]) -> float:
    """Return the rate with the fewest steps over these rows, where one that failed counts as twice the budget."""
    costs: dict[float, int] = {}
    good = 0
    for row in journal.read():
        if row["id"] not in ids:  # a former command tried more
            continue
        succeeded = row["status"] == "succeeded"
        good += succeeded
        costs[row["lr"]] = costs.get(row["lr"], 0) + (row["steps"] if succeeded else 2 * steps)
    if not good:
        raise SeaError(
            f"lr=auto tried {', '.join(map(str, GRID))}, and reached none of {len(ids)} rows with any of them",
            hint="Type -o steps=1000 for a larger budget, or -o lr=NUMBER to try another rate.",
            where=str(journal.path),
        )
    return min(costs, key=lambda lr: costs[lr])
