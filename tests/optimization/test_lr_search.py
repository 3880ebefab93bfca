"""`lr=auto`: the rate that reaches most rows soonest, found once for a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sea_core import SeaError
from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.lr_search import GRID, best_lr, search_lr
from sea_core.optimization.optimizer import Optimization, optimize
from sea_core.runs.jsonl import JsonlLog

SOON = OptimizeConfig(lr="auto", loss=1.0, margin=0.0, steps=25)


def tried(*rows: tuple[float, str, int]) -> list[dict[str, Any]]:
    return [{"lr": lr, "id": str(i), "status": status, "steps": steps} for i, (lr, status, steps) in enumerate(rows)]


def test_fewest_steps_win_and_a_failure_costs_twice_the_budget(tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "tuning.jsonl")
    journal.append(tried((0.03, "succeeded", 90), (0.03, "succeeded", 90)))
    journal.append(tried((0.1, "succeeded", 5), (0.1, "failed", 100), (0.3, "succeeded", 50), (0.3, "succeeded", 60)))
    assert best_lr(journal, max_steps=100, ids="0123") == 0.3


def test_rows_that_a_former_command_tried_do_not_weigh(tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "tuning.jsonl")
    journal.append(tried((0.03, "succeeded", 5), (0.03, "succeeded", 90), (0.03, "failed", 100)))
    journal.append(tried((0.3, "succeeded", 50)))
    assert best_lr(journal, max_steps=100, ids={"0"}) == 0.03


def test_every_rate_is_tried_on_the_first_rows_and_the_best_is_taken(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    journal = JsonlLog(tmp_path / "tuning.jsonl")
    found = search_lr(mllm, prepared[:4], SOON, journal)
    assert {(row["lr"], row["id"]) for row in journal.read()} == {(lr, row.id) for lr in GRID for row in prepared[:4]}
    totals = {lr: sum(row["steps"] for row in journal.read() if row["lr"] == lr) for lr in GRID}
    for lr, total in totals.items():
        outcomes = list(optimize(mllm, prepared[:4], OptimizeConfig(lr=lr, loss=1.0, margin=0.0, steps=25)))
        assert sum(outcome.steps for outcome in outcomes) == total
    assert found.lr == best_lr(journal, 25, {row.id for row in prepared[:4]})


def test_a_stopped_tuning_goes_on(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> None:
    whole, begun = JsonlLog(tmp_path / "whole.jsonl"), JsonlLog(tmp_path / "begun.jsonl")
    wanted = search_lr(mllm, prepared[:3], SOON, whole)
    begun.append(whole.read()[:4])
    assert search_lr(mllm, prepared[:3], SOON, begun) == wanted
    key = lambda row: (row["lr"], row["id"])  # noqa: E731
    assert sorted(begun.read(), key=key) == sorted(whole.read(), key=key)


def test_a_rate_is_not_made_up(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "tuning.jsonl")
    with pytest.raises(SeaError, match=r"none of .* examples succeeded") as raised:
        search_lr(mllm, prepared[:2], OptimizeConfig(lr="auto", steps=1), journal)
    assert "steps=1000" in raised.value.hint
    with pytest.raises(SeaError, match="lr is auto"):
        Optimization(mllm, prepared[:1], SOON)
