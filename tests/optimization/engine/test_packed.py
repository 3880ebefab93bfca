"""The packed step: what it computes, what it refuses, and what it does when memory is short."""

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

MODALITIES = [(plugin.name, adapter.modality) for plugin in loader.installed() for adapter in plugin.adapters]


@pytest.fixture(scope="module", params=MODALITIES, ids=lambda pair: "-".join(pair))
def family(request: pytest.FixtureRequest) -> MLLM:
    _, adapter = loader.adapter(*request.param)
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


def three_goals(mllm: MLLM, row: PreparedExample) -> PreparedExample:
    """Goals of unlike lengths: the packed texts lie far from multiples of anything."""
    return replace(row, goals=(*row.goals, Goal("Name it.", "a"), Goal("What is it, in a word, please?", "A lamp.")))


# --- what it computes -------------------------------------------------------------------------------------------------


def test_logits_and_gradient_are_the_librarys_in_every_family(family: MLLM) -> None:
    start = family.blank()
    plain = Sequential(family, start)
    tasks = make_tasks(family)
    packed = select_forward(family, start, tasks)
    assert packed.name == "packed"
    for task in tasks:
        ours, gradient = logits_and_grad(packed, task, start.perturbed().features)
        theirs, reference = logits_and_grad(plain, task, start.perturbed().features)
        assert relative_error(ours, theirs) < 1e-5
        assert relative_error(gradient, reference) < 1e-5


@pytest.mark.parametrize("keep", [slice(0, 1), slice(0, 4), slice(1, 3)], ids=["one", "four", "two"])
def test_any_number_of_goals_fits(mllm: MLLM, prepared: tuple[PreparedExample, ...], keep: slice) -> None:
    start = mllm.blank()
    row = three_goals(mllm, prepared[0])
    task = make_task(mllm, replace(row, goals=row.goals[keep]), len(start))
    ours, gradient = logits_and_grad(Packed(mllm, start, [task]), task, start.perturbed().features)
    theirs, reference = logits_and_grad(Sequential(mllm, start), task, start.perturbed().features)
    assert relative_error(ours, theirs) < 1e-5
    assert relative_error(gradient, reference) < 1e-5


def test_rows_of_unlike_numbers_of_goals_run_together(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    start = mllm.blank()
    rows = [prepared[0], three_goals(mllm, prepared[1]), replace(prepared[2], goals=prepared[2].goals[:1])]
    tasks = [make_task(mllm, row, len(start)) for row in rows]
    ended = {o.id: o for o in engine(mllm, select_forward(mllm, start, tasks), steps=3).run(tasks)}
    assert ended.keys() == {row.id for row in rows}
    alone = {o.id: o for task in tasks for o in engine(mllm, select_forward(mllm, start, [task]), steps=3).run([task])}
    assert {i: o.loss for i, o in ended.items()} == {i: o.loss for i, o in alone.items()}


def test_the_prefix_is_run_once_for_the_whole_job(mllm: MLLM) -> None:
    """And the media once for all goals: tokens through the decoder, counted."""
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
    once = packed.n_media + sum(packed.shape(tasks[0]))
    assert counted[1:] == [once, once]


@pytest.mark.filterwarnings("ignore")  # torch's own, while it compiles
def test_compiled_numbers_are_the_same(mllm: MLLM) -> None:
    start, tasks = mllm.blank(), make_tasks(mllm, 2)
    compiled = select_forward(mllm, start, tasks, compiled=True)
    ours, gradient = logits_and_grad(compiled, tasks[0], start.perturbed().features)
    theirs, reference = logits_and_grad(Sequential(mllm, start), tasks[0], start.perturbed().features)
    assert relative_error(ours, theirs) < 1e-5
    assert relative_error(gradient, reference) < 1e-5


# --- what it refuses --------------------------------------------------------------------------------------------------


def test_prompts_that_differ_before_the_media_run_plain_and_say_so(mllm: MLLM) -> None:
    start, (one, two) = mllm.blank(), make_tasks(mllm, 2)
    other = replace(two, prompts=tuple([p[0], *p] for p in two.prompts))
    forward = select_forward(mllm, start, [one, other])
    assert isinstance(forward, Sequential)
    assert "differ before" in forward.fallback_reason
    assert two.id in forward.fallback_reason


def test_an_attention_without_block_masks_runs_plain_and_says_so(spoilt: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    start, tasks = spoilt.blank(), make_tasks(spoilt, 1)
    config = type(spoilt.adapter.language_model(spoilt.model).config)
    monkeypatch.setattr(config, "_attn_implementation", "flash_attention_2")  # the setter would ask for a GPU
    with pytest.raises(PackingNotSupported, match="accepts no block mask"):
        Packed(spoilt, start, tasks)


def blind_to_masks(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, mask: Any, **more: Any) -> Any:
    """An attention that is causal, whatever mask it is given."""
    k, v = (t.repeat_interleave(q.shape[1] // t.shape[1], 1) for t in (k, v))
    seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(k.shape[2] - q.shape[2])
    return nn.functional.scaled_dot_product_attention(q, k, v, seen).transpose(1, 2), None


class LatePositions(Packed):
    """Counts on from goal to goal."""

    def _positions(self, longest: int) -> Tensor:
        return super()._positions(longest) + torch.arange(super()._positions(longest).shape[-1]) // 60


class Detached(Packed):
    def logits(self, seated: Any, embeddings: Any) -> Tensor:
        return super().logits(seated, [e.detach() + 0.5 * (e - e.detach()) for e in embeddings])


@pytest.mark.parametrize(
    ("fault", "rule"),
    [("mask", "the block mask"), ("positions", "the positions or the prefix"), ("gradient", "the backward pass")],
)
def test_a_packed_step_that_computes_something_else_is_refused(
    spoilt: MLLM, fault: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these would go on without a word, with wrong numbers."""
    if fault == "mask":
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

        monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "sdpa", blind_to_masks)
    if fault == "positions":
        monkeypatch.setattr("sea_core.optimization.engine.select_forward.Packed", LatePositions)
    if fault == "gradient":
        monkeypatch.setattr("sea_core.optimization.engine.select_forward.Packed", Detached)
    with pytest.raises(ModelError, match=rule) as raised:
        select_forward(spoilt, spoilt.blank(), make_tasks(spoilt, 2))
    assert "packed=false" in raised.value.hint


def test_in_bf16_rounding_is_not_taken_for_a_fault_nor_a_fault_for_rounding(
    rough: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert select_forward(rough, rough.blank(), make_tasks(rough, 2)).name == "packed"
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    start, tasks = rough.blank(), make_tasks(rough, 2)
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "sdpa", blind_to_masks)
    with pytest.raises(ModelError, match="the block mask"):
        select_forward(rough, start, tasks)


# --- when memory is short ---------------------------------------------------------------------------------------------


class Cramped(Packed):
    """Has room for so many rows at a time, more of them when it recomputes."""

    room, room_later = 2, 2

    def logits(self, seated: Any, embeddings: Any) -> Tensor:
        room = self.room_later if self.checkpointing else self.room
        logits = super().logits(seated, embeddings)
        if len(embeddings) > room:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 23.00 GiB")
        return logits


def engine(mllm: MLLM, forward: ForwardStrategy, **told: Any) -> Engine:
    rules = EngineConfig(0.1 * mllm.blank().rms, (0.8, 0.99), steps=40, loss=0.7, margin=-100.0, batch_size=3)
    return Engine(mllm, mllm.blank(), replace(rules, **told), forward)


def ended(mllm: MLLM, make: Callable[..., ForwardStrategy], **told: Any) -> dict[str, OptimizationResult]:
    tasks = make_tasks(mllm, 5)
    return {o.id: o for o in engine(mllm, make(mllm, mllm.blank(), tasks), **told).run(tasks)}


def test_out_of_memory_takes_a_slot_away_and_no_row(mllm: MLLM) -> None:
    wanted, found = ended(mllm, Packed, batch_size=1), ended(mllm, Cramped, batch_size=5)
    assert {i: (o.steps, o.loss) for i, o in found.items()} == {i: (o.steps, o.loss) for i, o in wanted.items()}


def test_where_not_even_one_row_fits_layers_are_recomputed(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cramped, "room", 0)
    wanted, found = ended(mllm, Packed, batch_size=1), ended(mllm, Cramped, batch_size=2)
    assert {i: o.status for i, o in found.items()} == dict.fromkeys(wanted, "succeeded")
    for row_id, outcome in found.items():
        assert outcome.loss == pytest.approx(wanted[row_id].loss, rel=1e-3)
    assert not any(m.training for m in mllm.model.modules())
    assert not any(getattr(m, "gradient_checkpointing", False) for m in mllm.model.modules())


def test_where_nothing_helps_it_says_what_would(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cramped, "room", 0)
    monkeypatch.setattr(Cramped, "room_later", 0)
    with pytest.raises(ModelError, match=r"not even one example fits .* Tried to allocate") as raised:
        ended(mllm, Cramped)
    assert "sea plan" in raised.value.hint


def test_the_self_test_recomputes_where_it_has_no_room(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, seen = Sequential.logits, []

    def cramped(self: Sequential, seated: Any, embeddings: Any) -> Tensor:
        seen.append(self.mllm.adapter.language_model(self.mllm.model).is_activation_checkpointing)
        if not seen[-1]:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")
        return plain(self, seated, embeddings)

    monkeypatch.setattr(Sequential, "logits", cramped)
    forward = select_forward(mllm, mllm.blank(), make_tasks(mllm, 1))
    assert (forward.name, forward.checkpointing, seen) == ("packed", False, [False, True, True])
    assert not any(m.training for m in mllm.model.modules())


def test_another_error_is_not_taken_for_memory(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Packed, "logits", lambda *_: (_ for _ in ()).throw(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(engine(mllm, Packed(mllm, mllm.blank(), make_tasks(mllm, 1))).run(make_tasks(mllm, 1)))


def test_recomputing_keeps_less_and_gives_the_same_gradient(mllm: MLLM) -> None:
    start, tasks = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, tasks)
    before, kept = gradient_and_memory(packed, tasks[0])
    packed.enable_checkpointing()
    with activation_checkpointing(packed.decoder):
        after, kept_less = gradient_and_memory(packed, tasks[0])
    assert relative_error(after, before) < 1e-5
    assert kept_less < 0.3 * kept
