"""The packed forward strategy: what it computes, what it rejects, and what happens when memory is short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.engine import gradient_and_memory, make_tasks, removing
from sea_core import ModelError
from sea_core.data.examples import Goal, PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine.activation_checkpointing import activation_checkpointing
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed, PackingNotSupported
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import logits_and_grad, select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult
from sea_core.optimization.optimizer import make_task
from sea_core.plugin import loader

MODALITIES = [(p.name, a.modality) for p in loader.installed() for a in p.adapters if not a.is_derived]


@pytest.fixture(scope="module", params=MODALITIES, ids=lambda pair: "-".join(pair))
def family(request: pytest.FixtureRequest) -> MLLM:
    _, adapter = loader.get_adapter(*request.param)
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


def with_four_goals(example: PreparedExample) -> PreparedExample:
    """Return the example with goals of different lengths, which are no multiples of anything."""
    return replace(
        example, goals=(*example.goals, Goal("Name it.", "a"), Goal("What is it, in a word, please?", "A lamp."))
    )


# --- what it computes -------------------------------------------------------------------------------------------------


def test_logits_and_gradient_are_those_of_the_sequential_forward_in_every_family(family: MLLM) -> None:
    start = family.blank()
    sequential = Sequential(family, start)
    tasks = make_tasks(family)
    packed = select_forward(family, start, tasks)
    assert packed.name == "packed"
    for task in tasks:
        logits, gradient = logits_and_grad(packed, task, start.perturbed().features)
        reference_logits, reference = logits_and_grad(sequential, task, start.perturbed().features)
        assert relative_error(logits, reference_logits) < 1e-5
        assert relative_error(gradient, reference) < 1e-5


@pytest.mark.parametrize("keep", [slice(0, 1), slice(0, 4), slice(1, 3)], ids=["one", "four", "two"])
def test_any_number_of_goals_can_be_packed(mllm: MLLM, prepared: tuple[PreparedExample, ...], keep: slice) -> None:
    start = mllm.blank()
    example = with_four_goals(prepared[0])
    task = make_task(mllm, replace(example, goals=example.goals[keep]), start)
    logits, gradient = logits_and_grad(Packed(mllm, start, [task]), task, start.perturbed().features)
    reference_logits, reference = logits_and_grad(Sequential(mllm, start), task, start.perturbed().features)
    assert relative_error(logits, reference_logits) < 1e-5
    assert relative_error(gradient, reference) < 1e-5


def test_examples_with_different_numbers_of_goals_run_together(
    mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    start = mllm.blank()
    examples = [prepared[0], with_four_goals(prepared[1]), replace(prepared[2], goals=prepared[2].goals[:1])]
    tasks = [make_task(mllm, example, start) for example in examples]
    together = {r.id: r for r in make_engine(mllm, select_forward(mllm, start, tasks), steps=3).run(tasks)}
    assert together.keys() == {example.id for example in examples}
    alone = {
        r.id: r for task in tasks for r in make_engine(mllm, select_forward(mllm, start, [task]), steps=3).run([task])
    }
    assert {i: r.loss for i, r in together.items()} == {i: r.loss for i, r in alone.items()}


def test_the_prefix_runs_once_per_run_and_the_media_once_per_step(mllm: MLLM) -> None:
    """Counted as tokens that go through the decoder."""
    start, tasks = mllm.blank(), make_tasks(mllm, 2)
    decoder = mllm.adapter.language_model(mllm.model)
    counted = []
    handle = decoder.register_forward_pre_hook(
        lambda _m, _a, kwargs: counted.append(kwargs["inputs_embeds"].shape[:2].numel()), with_kwargs=True
    )
    with removing(handle):
        packed = Packed(mllm, start, tasks)
        assert counted == [len(packed.prefix)]
        for task in tasks:
            packed.logits(packed.prepare_batch([task]), [start.features])
    expected = packed.n_media + sum(packed.shape(tasks[0]))
    assert counted[1:] == [expected, expected]


# --- what it rejects --------------------------------------------------------------------------------------------------


def test_prompts_that_differ_before_the_media_run_sequentially_with_a_reason(mllm: MLLM) -> None:
    start, (first, second) = mllm.blank(), make_tasks(mllm, 2)
    other = replace(second, prompts=tuple([p[0], *p] for p in second.prompts))
    forward = select_forward(mllm, start, [first, other])
    assert isinstance(forward, Sequential)
    assert "differ before" in forward.fallback_reason
    assert second.id in forward.fallback_reason


def test_an_attention_without_block_masks_cannot_be_packed(spoilt: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    start, tasks = spoilt.blank(), make_tasks(spoilt, 1)
    config = type(spoilt.adapter.language_model(spoilt.model).config)
    monkeypatch.setattr(config, "_attn_implementation", "flash_attention_2")  # the setter would ask for a GPU
    with pytest.raises(PackingNotSupported, match="accepts no block mask"):
        Packed(spoilt, start, tasks)


def ignoring_masks(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, mask: Any, **kwargs: Any) -> Any:
    """An attention that is causal and ignores its mask."""
    k, v = (t.repeat_interleave(q.shape[1] // t.shape[1], 1) for t in (k, v))
    visible = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(k.shape[2] - q.shape[2])
    return nn.functional.scaled_dot_product_attention(q, k, v, visible).transpose(1, 2), None


class LatePositions(Packed):
    """Does not restart positions at each goal."""

    def _positions(self, longest: int) -> Tensor:
        return super()._positions(longest) + torch.arange(super()._positions(longest).shape[-1]) // 60


class HalfGradient(Packed):
    """Loses half of the gradient."""

    def logits(self, batch: Any, embeddings: Any) -> Tensor:
        return super().logits(batch, [e.detach() + 0.5 * (e - e.detach()) for e in embeddings])


@pytest.mark.parametrize(
    ("fault", "rule"),
    [("mask", "the block mask"), ("positions", "the positions or the prefix"), ("gradient", "the backward pass")],
)
def test_a_packed_forward_that_is_not_equivalent_is_not_used(
    spoilt: MLLM, fault: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these faults would silently give wrong numbers. Separate sequences are used, with the reason."""
    if fault == "mask":
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

        monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "sdpa", ignoring_masks)
    if fault == "positions":
        monkeypatch.setattr("sea_core.optimization.engine.select_forward.Packed", LatePositions)
    if fault == "gradient":
        monkeypatch.setattr("sea_core.optimization.engine.select_forward.Packed", HalfGradient)
    found = select_forward(spoilt, spoilt.blank(), make_tasks(spoilt, 2))
    assert found.name == "sequential"
    assert rule in str(found.fallback_reason)


def test_in_bf16_rounding_is_told_from_a_wrong_mask(rough: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    assert select_forward(rough, rough.blank(), make_tasks(rough, 2)).name == "packed"
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    start, tasks = rough.blank(), make_tasks(rough, 2)
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "sdpa", ignoring_masks)
    assert "the block mask" in str(select_forward(rough, start, tasks).fallback_reason)


# --- when memory is short ---------------------------------------------------------------------------------------------


class LittleMemory(Packed):
    """Runs out of memory if a batch is larger than `max_batch`, or `max_checkpointed` with checkpointing."""

    max_batch, max_checkpointed = 2, 2

    def logits(self, batch: Any, embeddings: Any) -> Tensor:
        limit = self.max_checkpointed if self.checkpointing else self.max_batch
        logits = super().logits(batch, embeddings)
        if len(embeddings) > limit:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 23.00 GiB")
        return logits


def make_engine(mllm: MLLM, forward: ForwardStrategy, **changes: Any) -> Engine:
    config = EngineConfig(0.1 * mllm.blank().rms, (0.8, 0.99), steps=40, loss=0.7, margin=-100.0, batch_size=3)
    return Engine(mllm, mllm.blank(), replace(config, **changes), forward)


def run(mllm: MLLM, make: Callable[..., ForwardStrategy], **changes: Any) -> dict[str, OptimizationResult]:
    tasks = make_tasks(mllm, 5)
    return {r.id: r for r in make_engine(mllm, make(mllm, mllm.blank(), tasks), **changes).run(tasks)}


def test_out_of_memory_takes_a_slot_away_but_no_task(mllm: MLLM) -> None:
    expected, results = run(mllm, Packed, batch_size=1), run(mllm, LittleMemory, batch_size=5)
    assert {i: (r.steps, r.loss) for i, r in results.items()} == {i: (r.steps, r.loss) for i, r in expected.items()}


def test_layers_are_recomputed_if_not_even_one_example_fits(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LittleMemory, "max_batch", 0)
    expected, results = run(mllm, Packed, batch_size=1), run(mllm, LittleMemory, batch_size=2)
    assert {i: r.status for i, r in results.items()} == dict.fromkeys(expected, "succeeded")
    for task_id, result in results.items():
        assert result.loss == pytest.approx(expected[task_id].loss, rel=1e-3)
    assert not any(m.training for m in mllm.model.modules())
    assert not any(getattr(m, "gradient_checkpointing", False) for m in mllm.model.modules())


def test_the_error_says_what_would_help(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LittleMemory, "max_batch", 0)
    monkeypatch.setattr(LittleMemory, "max_checkpointed", 0)
    with pytest.raises(ModelError, match=r"not even one example fits .* Tried to allocate") as raised:
        run(mllm, LittleMemory)
    assert "sea plan" in raised.value.hint


def test_the_equivalence_check_recomputes_layers_if_memory_is_short(
    mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, checkpointed = Sequential.logits, []

    def logits(self: Sequential, batch: Any, embeddings: Any) -> Tensor:
        checkpointed.append(self.mllm.adapter.language_model(self.mllm.model).is_activation_checkpointing)
        if not checkpointed[-1]:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")
        return original(self, batch, embeddings)

    monkeypatch.setattr(Sequential, "logits", logits)
    forward = select_forward(mllm, mllm.blank(), make_tasks(mllm, 1))
    assert (forward.name, forward.checkpointing, checkpointed) == ("packed", False, [False, True, True])
    assert not any(m.training for m in mllm.model.modules())


def test_other_errors_are_not_taken_for_lack_of_memory(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Packed, "logits", lambda *_: (_ for _ in ()).throw(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(make_engine(mllm, Packed(mllm, mllm.blank(), make_tasks(mllm, 1))).run(make_tasks(mllm, 1)))


def test_checkpointing_takes_less_memory_and_gives_the_same_gradient(mllm: MLLM) -> None:
    start, tasks = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, tasks)
    gradient, peak = gradient_and_memory(packed, tasks[0])
    packed.enable_checkpointing()
    with activation_checkpointing(packed.decoder):
        recomputed, smaller_peak = gradient_and_memory(packed, tasks[0])
    assert relative_error(recomputed, gradient) < 1e-5
    assert smaller_peak < 0.3 * peak
