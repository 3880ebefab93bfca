"""`sea plan` and the formula for memory, compared with what a real step takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers.engine import gradient_and_memory
from helpers.families import write_checkpoint
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.data.examples import PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.model.adapter import Adapter
from sea_core.model.mllm import MLLM
from sea_core.optimization import estimate as estimate_module
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.select_forward import logits_and_grad
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.optimization.estimate import count_media_tokens, estimate
from sea_core.optimization.flop import StepSequence, attention_flop, matmul_flop
from sea_core.optimization.hardware import Hardware
from sea_core.optimization.optimizer import Optimization, make_task
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.read import read_examples
from sea_core.plugin import loader

CPU, MPS = torch.device("cpu"), torch.device("mps")
SHAPE_7B = memory.DecoderShape(layers=28, hidden=3584, attention=3584, mlp=3 * 18944, vocabulary=152064)


def load(adapter: Adapter, device: str, dtype: torch.dtype = torch.float32) -> MLLM:
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=dtype, device=device))


def here() -> Hardware:
    return Hardware.here(CPU, torch.float32)


@pytest.fixture(scope="module")
def without_weights(mllm: MLLM) -> MLLM:
    """The bundled model on the meta device."""
    found = load(mllm.adapter, "meta")
    assert all(p.is_meta for p in found.model.parameters())
    return found


def test_the_estimate_is_what_the_run_takes(
    mllm: MLLM, without_weights: MLLM, prepared: tuple[PreparedExample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 20_000_000)
    estimated = estimate(without_weights, prepared, here(), steps=10)
    weights = sum(p.numel() * p.itemsize for p in mllm.model.parameters())
    monkeypatch.setattr(memory, "free_bytes", lambda _: 20_000_000 - weights)
    optimization = Optimization(mllm, prepared, OptimizeConfig())
    assert (estimated.embeddings, estimated.weights) == (len(prepared), weights)
    assert estimated.batch_size == optimization.engine_config.batch_size
    assert 1 < estimated.batch_size < 8  # limited by memory, not by what is useful on the device
    assert estimated.media_tokens == count_media_tokens(mllm) == mllm.adapter.placeholders(len(mllm.blank()))
    longest = max(map(optimization.forward.tokens, optimization.tasks))
    assert estimated.media_tokens + estimated.text_tokens == longest


def test_flops_are_those_of_a_step(mllm: MLLM, without_weights: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    start = mllm.blank()
    task = make_task(mllm, prepared[0], start)
    forward = Packed(mllm, start, [task])
    with FlopCounterMode(display=False) as counter:
        logits_and_grad(forward, task, start.features)
    counted = counter.get_total_flops()  # on a CPU without those of attention
    sequence = StepSequence(len(start), forward.shape(task), media=len(start), kv_only=len(start))
    assert matmul_flop(without_weights, sequence, sum(map(len, task.answers))) == counted
    assert 0 < attention_flop(without_weights, sequence) < 0.2 * counted


@pytest.mark.parametrize(("family", "name"), [("qwen3_vl", "packed-backbone"), ("qwen3_5", "sequential")])
def test_a_replayed_model_is_estimated_as_it_is_run(
    family: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(family, tmp_path)
    target = ModelTarget.find("auto", modality="image", model=str(tmp_path), dtype="float32")
    mllm, shapes_only = target.load(), replace(target, device="meta").load()
    examples = prepare(read_examples(DEMO_EXAMPLES).examples, mllm.adapter).prepared[:3]
    optimization = Optimization(mllm, examples, OptimizeConfig())
    assert optimization.forward.name == name
    estimated = estimate(shapes_only, examples, here(), steps=10)
    longest = max(optimization.tasks, key=optimization.forward.tokens)
    assert estimated.media_tokens + estimated.text_tokens == optimization.forward.tokens(longest)
    assert estimated.batch_size == optimization.engine_config.batch_size
    if name != "sequential":  # the FLOPs of recurrent layers are not known
        with FlopCounterMode(display=False) as counter:
            logits_and_grad(optimization.forward, longest, mllm.blank().features)
        assert estimated.flop == pytest.approx(counter.get_total_flops(), rel=0.25)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_an_example_takes_the_memory_that_the_formula_gives(mllm: MLLM, dtype: torch.dtype) -> None:
    long = load(replace(mllm.adapter, seconds=20.0), "cpu", dtype)  # type: ignore[call-arg]
    start = long.blank()
    prompt, answer = long.prompt_ids("What is it?", start), long.answer_ids("A person steals a lamp.")
    task = OptimizationTask("a", (prompt,) * 2, (answer,) * 2)
    forward = Packed(long, start, [task])
    decoder, head = long.adapter.language_model(long.model), long.model.get_output_embeddings()
    formula = memory.example_bytes(
        memory.DecoderShape.read(decoder, head),
        tokens=forward.tokens(task),
        targets=sum(map(len, task.answers)),
        values=0,
        itemsize=dtype.itemsize,
        kv_only=forward.kv_only,
    )
    assert formula == pytest.approx(gradient_and_memory(forward, task)[1], rel=0.1)


def test_memory_of_a_7b_model() -> None:
    """16 h + 6 f bytes per token and layer in bf16: 4.79 MB per token, plus 5 % for what is not counted."""
    full = memory.example_bytes(SHAPE_7B, tokens=880, targets=0, values=0, itemsize=2)
    assert full == pytest.approx(1.05 * 880 * 4.79e6, rel=0.01)


@pytest.mark.parametrize(("free", "batch_size"), [(0, 1), (5, 1), (100, 4), (10_000, 8)])
def test_the_batch_is_as_large_as_fits_and_is_useful(free: int, batch_size: int) -> None:
    assert memory.max_batch(20, free, tokens=128, shape=SHAPE_7B, device_type="cpu") == batch_size


def test_a_gpu_takes_as_many_examples_as_keep_it_busy() -> None:
    """The numbers of the H200 (docs/performance.md): at 7B eight examples of 656 tokens, or five of 880."""
    llava = memory.DecoderShape(layers=32, hidden=4096, attention=4096, mlp=3 * 11008, vocabulary=32064)
    small = memory.DecoderShape(layers=24, hidden=896, attention=896, mlp=3 * 4864, vocabulary=151936)
    assert memory.useful_batch(656, llava, "cuda") == 8
    assert memory.useful_batch(880, SHAPE_7B, "cuda") == 5
    assert memory.useful_batch(656, small, "cuda") == 64
    assert memory.useful_batch(100_000, llava, "cuda") == 1


def test_the_limit_of_a_cgroup_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.free_bytes(CPU) > 10_000_000
    numbers = {"memory.max": 3_000_000, "memory.current": 1_000_000}
    monkeypatch.setattr(memory, "_read_number", lambda path: numbers[path.name])
    assert memory.free_bytes(CPU) == 2_000_000


@pytest.mark.parametrize(
    ("recommended", "available", "expected"),
    [(10_000, 50_000, 7_000), (10_000, 2_000, 4_000)],
    ids=["torch's limit", "the machine's memory"],
)
def test_free_memory_on_mps(monkeypatch: pytest.MonkeyPatch, recommended: int, available: int, expected: int) -> None:
    """The numbers of such a device are made up: there is none where the tests run."""
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: recommended)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 3_000)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 5_000)  # 2,000 of it are cached, and reusable
    monkeypatch.setattr(memory, "_read_number", lambda _: None)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": available}))
    assert memory.free_bytes(MPS) == expected


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_each_device_frees_its_own_cache(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    freed: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: freed.append("mps"))
    memory.empty_cache(CPU)
    memory.empty_cache(torch.device(device))
    assert freed == [device]


def test_a_model_that_does_not_fit_has_the_batch_size_zero(
    without_weights: MLLM, prepared: tuple[PreparedExample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1_000_000)
    found = estimate(without_weights, prepared[:1], here())
    assert (found.batch_size, found.hours) == (0, None)  # no run time of what cannot run


def test_what_fits_only_without_the_reserve_of_a_run_does_not_fit(
    without_weights: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    """A run keeps a tenth of the free memory for what the formula does not count."""
    ample = estimate(without_weights, prepared[:1], Hardware("cpu", 10**9, 1e12))
    enough = ample.weights + int(ample.per_example / (1 - memory.RESERVED_RATIO)) + 2
    fits = [estimate(without_weights, prepared[:1], Hardware("cpu", free, 1e12)) for free in (enough, enough - 100)]
    assert [each.batch_size for each in fits] == [1, 0]


@pytest.mark.parametrize("name", [plugin.name for plugin in loader.installed()])
def test_media_tokens_of_every_installed_family(name: str) -> None:
    for adapter in (each for each in loader.get_plugin(name).adapters if not each.is_derived):
        start, without_weights = load(adapter, "cpu").blank(), load(adapter, "meta")
        media_tokens = count_media_tokens(without_weights)
        assert media_tokens == adapter.placeholders(len(start))
        assert media_tokens * estimate_module._values_per_token(without_weights) == start.features.numel()
