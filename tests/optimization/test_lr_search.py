"""`lr=auto`: the learning rate that takes the fewest steps, determined once per run."""

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

QUICK = {"loss": 1.0, "margin": 0.0, "steps": 25}
AUTO = OptimizeConfig(lr="auto", **QUICK)  # type: ignore[arg-type]


@pytest.fixture
def trials(tmp_path: Path) -> JsonlLog:
    return JsonlLog(tmp_path / "tuning.jsonl")


def make_trials(*results: tuple[float, str, int]) -> list[dict[str, Any]]:
    """Return the records of (lr, status, steps), with the ids 0, 1, ..."""
    return [{"lr": lr, "id": str(i), "status": status, "steps": steps} for i, (lr, status, steps) in enumerate(results)]


def test_the_fewest_steps_win_and_a_failure_counts_as_twice_the_maximum(trials: JsonlLog) -> None:
    trials.append(make_trials((0.03, "succeeded", 90), (0.03, "succeeded", 90)))
    trials.append(make_trials((0.1, "succeeded", 5), (0.1, "failed", 100)))
    trials.append(make_trials((0.3, "succeeded", 50), (0.3, "succeeded", 60)))
    assert best_lr(trials, max_steps=100, ids="0123") == 0.3


def test_trials_of_other_examples_do_not_count(trials: JsonlLog) -> None:
    trials.append(make_trials((0.03, "succeeded", 5), (0.03, "succeeded", 90), (0.03, "failed", 100)))
    trials.append(make_trials((0.3, "succeeded", 50)))
    assert best_lr(trials, max_steps=100, ids={"0"}) == 0.03


def test_every_rate_is_tried_on_the_first_examples(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], trials: JsonlLog
) -> None:
    examples = prepared[:4]
    found = search_lr(mllm, examples, AUTO, trials)
    tried = {(trial["lr"], trial["id"]) for trial in trials.read()}
    assert tried == {(lr, example.id) for lr in GRID for example in examples}
    for lr in GRID:
        results = optimize(mllm, examples, OptimizeConfig(lr=lr, **QUICK))  # type: ignore[arg-type]
        assert sum(result.steps for result in results) == sum(t["steps"] for t in trials.read() if t["lr"] == lr)
    assert found.lr == best_lr(trials, 25, {example.id for example in examples})


def test_a_stopped_search_is_resumed(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> None:
    complete, stopped = JsonlLog(tmp_path / "complete.jsonl"), JsonlLog(tmp_path / "stopped.jsonl")
    expected = search_lr(mllm, prepared[:3], AUTO, complete)
    stopped.append(complete.read()[:4])
    assert search_lr(mllm, prepared[:3], AUTO, stopped) == expected
    by_id = [sorted(log.read(), key=lambda trial: (trial["lr"], trial["id"])) for log in (complete, stopped)]
    assert by_id[0] == by_id[1]


def test_without_any_success_there_is_no_rate(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], trials: JsonlLog
) -> None:
    with pytest.raises(SeaError, match=r"none of .* examples succeeded") as raised:
        search_lr(mllm, prepared[:2], OptimizeConfig(lr="auto", steps=1), trials)
    assert "steps=1000" in raised.value.hint
    with pytest.raises(SeaError, match="lr is auto"):
        Optimization(mllm, prepared[:1], AUTO)
