"""`sea plan` and the memory formula, held against what the real step does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers.engine import measured
from sea_core.data.examples import PreparedExample
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.select_forward import logits_and_grad
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.optimization.estimate import attention_flop, count_media_tokens, estimate, matmul_flop
from sea_core.optimization.optimizer import Optimization, make_task
from sea_core.plugin import loader

CPU = torch.device("cpu")
SIZES = memory.DecoderShape(layers=28, hidden=3584, attention=3584, mlp=3 * 18944, vocabulary=152064)


@pytest.fixture(scope="module")
def shapes(mllm: MLLM) -> MLLM:
    """The bundled model without its weights."""
    found = MLLM(mllm.adapter, *mllm.adapter.load(mllm.adapter.checkpoint, dtype=torch.float32, device="meta"))
    assert all(p.is_meta for p in found.model.parameters())
    return found


def test_the_plan_is_what_the_run_then_does(
    mllm: MLLM, shapes: MLLM, prepared: tuple[PreparedExample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 20_000_000)
    planned = estimate(shapes, prepared, CPU, steps=10)
    weights = sum(p.numel() * p.itemsize for p in mllm.model.parameters())
    monkeypatch.setattr(memory, "free_bytes", lambda _: 20_000_000 - weights)
    work = Optimization(mllm, prepared, OptimizeConfig())
    assert (planned.embeddings, planned.weights, planned.batch_size) == (
        len(prepared),
        weights,
        work.engine_config.batch_size,
    )
    assert 1 < planned.batch_size < 8  # memory decides, not what a device makes use of
    assert planned.media_tokens == count_media_tokens(mllm) == mllm.adapter.placeholders(len(mllm.blank()))
    assert planned.media_tokens + planned.text_tokens == max(map(work.forward.tokens, work.tasks))


def test_flop_is_what_a_step_takes(mllm: MLLM, shapes: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    start = mllm.blank()
    task = make_task(mllm, prepared[0], len(start))
    forward = Packed(mllm, start, [task])
    with FlopCounterMode(display=False) as counter:
        logits_and_grad(forward, task, start.features)
    targets = sum(map(len, task.answers))
    text = sum(forward.shape(task))
    assert matmul_flop(shapes, len(start), text, targets) == counter.get_total_flops()  # on a CPU without attention
    assert 0 < attention_flop(shapes, len(start), text) < 0.2 * counter.get_total_flops()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_row_keeps_what_the_formula_says(mllm: MLLM, dtype: torch.dtype) -> None:
    adapter = replace(mllm.adapter, seconds=20.0)
    one = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=dtype, device="cpu"))
    start = one.blank()
    task = OptimizationTask(
        "a", (one.prompt_ids("What is it?", len(start)),) * 2, (one.answer_ids("A person steals a lamp."),) * 2
    )
    forward = Packed(one, start, [task])
    sizes = memory.DecoderShape.read(adapter.language_model(one.model), one.model.get_output_embeddings())
    told = memory.example_bytes(
        sizes,
        tokens=forward.tokens(task),
        targets=sum(map(len, task.answers)),
        values=0,
        itemsize=dtype.itemsize,
        kv_only=forward.kv_only,
    )
    assert told == pytest.approx(measured(forward, task)[1], rel=0.1)


def test_at_7b_the_formula_is_the_studys() -> None:
    """16 h + 6 f bytes for each token and layer, in bf16: 4.79 MB a token, and 5 % for what is not counted."""
    row = memory.example_bytes(SIZES, tokens=880, targets=0, values=0, itemsize=2)
    assert row == pytest.approx(1.05 * 880 * 4.79e6, rel=0.01)
    spare = memory.example_bytes(SIZES, tokens=880, targets=0, values=0, itemsize=2, checkpointing=True)
    assert spare < 0.15 * row


@pytest.mark.parametrize(("free", "slots"), [(0, 1), (5, 1), (100, 4), (10_000, 8)])
def test_rows_in_flight_are_as_many_as_fit_and_help(free: int, slots: int) -> None:
    assert memory.max_batch(per_example=20, free=free, tokens=128, device_type="cpu") == slots


def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = memory.free_bytes(CPU)
    assert whole > 10_000_000
    monkeypatch.setattr(
        memory, "_read_number", lambda path: {"memory.max": 3_000_000, "memory.current": 1_000_000}[path.name]
    )
    assert memory.free_bytes(CPU) == 2_000_000


def test_a_model_that_does_not_fit_has_no_rows_in_flight(
    shapes: MLLM, prepared: tuple[PreparedExample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1_000_000)
    assert estimate(shapes, prepared[:1], CPU).batch_size == 0


@pytest.mark.parametrize("name", [plugin.name for plugin in loader.installed()])
def test_every_installed_family_can_be_planned(name: str) -> None:
    for adapter in loader.get(name).adapters:
        model, processor = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
        loaded = MLLM(adapter, model, processor)
        start: Embedding = loaded.blank()
        shapes = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="meta"))
        assert count_media_tokens(shapes) == adapter.placeholders(len(start))
        assert count_media_tokens(shapes) * plan_width(shapes) == start.features.numel()


def plan_width(mllm: MLLM) -> int:
    from sea_core.optimization.estimate import _values_per_token

    return _values_per_token(mllm)
