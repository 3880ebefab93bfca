"""docs/explanation/method.md: its code is the tests' reference loop, solves an example, and matches the engine."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers import reference_loop
from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import Optimization

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "method.md"
FP64_ROUNDING = 1e-9
"""Between two ways to compute the same numbers in fp64."""


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_shows_the_reference_loop_of_the_tests(blocks: list[str]) -> None:
    _, source = Path(reference_loop.__file__).read_text(encoding="utf-8").split("\n\n", 1)
    assert "\n\n\n".join(blocks[:-1]) + "\n" == source
    code = [line for block in blocks[:-1] for line in block.splitlines() if line.strip()]
    assert len(code) <= 80


@pytest.mark.usefixtures("seeing")  # torch on one thread
def test_the_script_solves_a_demo_example(blocks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("\n\n\n".join(blocks), str(PAGE), "exec"), names)
    summary, *answers = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ steps, loss 0\.00\d\d, margin \d+\.\d\d", summary)
    assert answers == [f"{goal.prompt} -> {goal.answer}" for goal in names["example"].goals]


def test_the_engine_succeeds_at_the_same_step_with_the_same_embedding(
    exact: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    example, config = prepared[0], OptimizeConfig(margin=0.5)
    blank = exact.blank()
    (result,) = Optimization(exact, [example], config).run()
    assert result.status == "succeeded"
    assert result.embedding is not None
    steps = reference_loop.reference_loop(
        exact, example.goals, blank.features, 0.1 * blank.rms, (config.beta1, config.beta2)
    )
    *before, last = islice(steps, result.steps + 1)
    assert not any(step.margin > 0.5 and step.loss < config.loss for step in before)
    assert last.loss == pytest.approx(result.loss, abs=FP64_ROUNDING)
    assert last.margin == pytest.approx(result.margin, abs=FP64_ROUNDING)
    assert torch.allclose(last.embedding, result.embedding.features, rtol=0, atol=FP64_ROUNDING)
