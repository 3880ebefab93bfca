"""The method on whole examples: the demo examples, the settings, and examples that fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sea_core import ModelError, SeaError
from sea_core.config import override
from sea_core.data import demo
from sea_core.data.examples import Goal, PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.model.embedding import Embedding, load_embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.audit import audit_embedding
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import optimize
from sea_core.pipeline.read import read_examples

FEWER_STEPS = Path(__file__).parents[2] / "docs" / "how-to" / "large-runs.md"
QUICK = OptimizeConfig(loss=2.0, margin=0.0, steps=6)


def run(
    mllm: MLLM, examples: tuple[PreparedExample, ...], config: OptimizeConfig = QUICK, **kwargs: Any
) -> dict[str, OptimizationResult]:
    return {result.id: result for result in optimize(mllm, examples, config, **kwargs)}


# --- the demo examples ------------------------------------------------------------------------------------------------


def test_nearly_every_demo_example_succeeds(demo_run: Any) -> None:
    assert demo_run.results.keys() == demo_run.examples.keys()
    assert len(demo_run.examples) >= 48
    failed = [result.reason for result in demo_run.results.values() if result.status == "failed"]
    assert len(failed) <= 0.05 * len(demo_run.examples), failed


def test_generation_gives_both_target_answers_of_every_success(mllm: MLLM, demo_run: Any) -> None:
    """What the audit does for a few of them: real greedy generation from the stored embedding."""
    succeeded = [record for record in demo_run.run.store.records() if record["status"] == "succeeded"]
    assert succeeded
    audits = [audit_embedding(mllm, record, load_embedding(demo_run.run, record["id"])) for record in succeeded]
    assert [audit["id"] for audit in audits if not audit["exact"]] == []


def test_every_success_is_stored_as_it_was_evaluated(demo_run: Any) -> None:
    config = OptimizeConfig()
    for result in demo_run.results.values():
        record = demo_run.run.store.record(result.id)
        assert (record["steps"], record["loss"], record["margin"]) == (result.steps, result.loss, result.margin)
        assert [goal["answer"] for goal in json.loads(record["goals"])] == [
            goal.answer for goal in demo_run.examples[result.id].goals
        ]
        if result.status == "succeeded":
            assert result.margin > 0.5  # the minimum of `auto`
            assert result.loss < config.loss
            assert torch.equal(demo_run.run.load(result.id)[0], result.embedding.features)
        else:
            assert record["sha256"] == ""


def test_the_settings_that_the_guide_gives_take_less_than_half_the_steps(mllm: MLLM, demo_run: Any) -> None:
    block = FEWER_STEPS.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    config, unknown = override(OptimizeConfig(), yaml.safe_load(block))
    assert not unknown
    results = run(mllm, tuple(demo_run.examples.values())[:8], config)
    assert [result.reason for result in results.values() if result.status == "failed"] == []
    assert sum(r.steps for r in results.values()) < sum(demo_run.results[name].steps for name in results) / 2


# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_embeddings_again(mllm: MLLM) -> None:
    def prepared(seed: int) -> tuple[PreparedExample, ...]:
        return prepare(read_examples(demo.DEMO_EXAMPLES).examples, mllm.adapter, seed=seed).prepared

    def embedding(examples: tuple[PreparedExample, ...]) -> Embedding:
        (result,) = run(mllm, examples, replace(QUICK, loss=100.0, steps=100)).values()
        assert result.embedding is not None
        return result.embedding

    assert prepared(7) == prepared(7) != prepared(8)
    assert torch.equal(embedding(prepared(7)[:1]).features, embedding(prepared(7)[:1]).features)


def test_the_step_size_is_relative_to_the_blank(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    """Adam's first step moves each number by the learning rate."""
    config = OptimizeConfig(lr=0.25, steps=1, loss=1e9, margin=0.0)
    blank = mllm.blank()
    evaluated = []

    class RecordingMLLM(MLLM):
        def project(self, embedding: Embedding) -> Any:
            evaluated.append(embedding.features.detach().clone())
            return super().project(embedding)

    run(RecordingMLLM(mllm.adapter, mllm.model, mllm.processor), prepared[:1], config)
    rms = blank.features.square().mean().sqrt()
    assert torch.equal(evaluated[-2], blank.features)
    assert (evaluated[-1] - evaluated[-2]).abs().median().item() == pytest.approx(0.25 * rms.item(), rel=0.01)


def test_another_start_can_be_given(mllm: MLLM, prepared: tuple[PreparedExample, ...], demo_run: Any) -> None:
    success = next(result for result in demo_run.results.values() if result.status == "succeeded")
    result = run(mllm, (demo_run.examples[success.id],), OptimizeConfig(), blank=success.embedding)[success.id]
    assert (result.status, result.steps) == ("succeeded", 0)
    assert torch.equal(result.embedding.features, success.embedding.features)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lr", 0.0, "above 0"),
        ("lr", -0.1, "above 0"),
        ("lr", float("nan"), "a number or auto"),
        ("steps", 0, "above 0"),
        ("loss", 0.0, "above 0"),
        ("batch_size", 0, "above 0"),
        ("margin", -0.5, "at least 0"),
        ("margin", float("nan"), "a number or auto"),
        ("beta1", 1.0, "below 1"),
        ("beta2", -0.1, "at least 0"),
        ("benign_examples", "drop", "embed or text"),
        ("start", "noise", "blank or solved"),
    ],
)
def test_an_invalid_setting_is_an_error(name: str, value: Any, expected: str) -> None:
    with pytest.raises(SeaError, match=f"{name} is .*{expected}") as error:
        OptimizeConfig(**{name: value})
    assert f"-o {name}=" in error.value.hint


def test_the_model_does_not_change(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    before = {name: value.clone() for name, value in mllm.model.state_dict().items()}
    run(mllm, prepared[:1])
    assert all(torch.equal(value, before[name]) for name, value in mllm.model.state_dict().items())


# --- examples that fail -----------------------------------------------------------------------------------------------


def test_a_target_longer_than_the_context_fails_with_a_reason(
    mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    context = mllm.context_length
    assert context is not None
    long = replace(prepared[0], goals=(prepared[0].goals[0], Goal("What is it?", "lamp " * context)))
    results = run(mllm, (long, prepared[1]))
    assert results[long.id].status == "failed"
    assert f"but the model's context is {context}" in results[long.id].reason
    assert results[long.id].embedding is None
    assert prepared[1].id in results


def test_a_run_whose_examples_are_all_rejected_says_why(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    context = mllm.context_length
    assert context is not None
    long = replace(prepared[0], goals=(Goal("What is it?", "lamp " * context),))
    results = run(mllm, (long,), OptimizeConfig())
    assert "too long" in results[long.id].reason


def test_the_longest_target_that_fits_is_optimised(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    prompt = Goal("What is it?", "")
    room = mllm.context_length - len(mllm.prompt_ids(prompt.prompt, mllm.blank())) - 1  # type: ignore[operator]
    word = mllm.tokenizer.decode(mllm.answer_ids("lamp")[:1])
    for extra, fits in ((0, True), (1, False)):
        goal = replace(prompt, answer=word * (room + extra))
        assert len(mllm.answer_ids(goal.answer)) == room + extra + 1
        example = replace(prepared[0], goals=(goal,))
        reason = run(mllm, (example,), replace(QUICK, steps=1))[example.id].reason
        assert ("too long" not in reason) is fits


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_blank_that_is_not_finite_is_an_error(mllm: MLLM, value: float) -> None:
    blank = mllm.blank()
    with pytest.raises(ModelError, match="root mean square of the blank audio's embedding"):
        list(optimize(mllm, [], blank=blank.with_features(torch.full_like(blank.features, value))))
