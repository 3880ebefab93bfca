"""Compiled layers: one graph whatever is run, the numbers of the step that is not compiled, what happens without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch._inductor import config as inductor
from torch._inductor.utils import fresh_cache

from helpers.engine import make_tasks
from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.compile_choice import choose_compile
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine import compiled_layers
from sea_core.optimization.engine.attention_op import aligned, operator_attention
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.packed_backbone import PackedBackbone
from sea_core.optimization.engine.select_forward import compile_forward, logits_and_grad
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.optimization.optimizer import Optimization, optimize
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.plugin import loader

EEG = Path(__file__).parents[3] / "docs/examples/sea_eeg"
TRACE_ONLY = "aot_eager"
"""Torch's backend that makes graphs and runs them as they are: graphs are counted without waiting for a compiler."""

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's own, while it compiles


@pytest.fixture(autouse=True)
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Return a function that counts the graphs made in a test."""
    torch._dynamo.reset()
    counters.clear()
    monkeypatch.setattr(compiled_layers, "BACKEND", TRACE_ONLY)
    yield lambda: counters["stats"]["unique_graphs"]
    torch._dynamo.reset()


def load(plugin: str, modality: str) -> MLLM:
    _, adapter = loader.get_adapter(plugin, modality)
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


def load_eeg(monkeypatch: pytest.MonkeyPatch) -> MLLM:
    monkeypatch.syspath_prepend(EEG)
    adapter = import_module("sea_eeg.adapter").EegAdapter()
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


def lengthened(tasks: Sequence[OptimizationTask], tokens: int) -> list[OptimizationTask]:
    """Return the tasks with so many more tokens at the end of each prompt."""
    return [replace(task, prompts=tuple([*ids, *ids[-1:] * tokens] for ids in task.prompts)) for task in tasks]


# --- one graph --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "modality"),
    [("qwen2_audio", "audio"), ("llava", "image"), ("qwen2_vl", "image"), ("qwen2_vl", "video"), ("eeg", "eeg")],
)
def test_one_graph_serves_all_rows_and_shapes(
    plugin: str, modality: str, graphs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mllm = load_eeg(monkeypatch) if plugin == "eeg" else load(plugin, modality)
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    eager = Packed(mllm, start, [task])
    compile_forward(packed, task)
    assert packed.compiled, packed.compile_reason
    shapes = set()
    for more in (0, 9, 21):
        (longer,) = lengthened([task], more)
        shapes.add(packed.shape(longer))
        for rows in (8, 5, 1):
            same = [replace(longer, id=str(i)) for i in range(rows)]
            embeddings = [nn.Parameter(start.features.clone()) for _ in range(rows)]
            logits = packed.logits(packed.prepare_batch(same), embeddings)
            (gradient, *_) = torch.autograd.grad(logits.square().sum(), embeddings)
            expected = eager.logits(eager.prepare_batch(same), embeddings)
            (reference, *_) = torch.autograd.grad(expected.square().sum(), embeddings)
            assert relative_error(logits.detach(), expected.detach()) < 1e-5
            assert relative_error(gradient, reference) < 1e-5
            with torch.no_grad():
                final = packed.logits(packed.prepare_batch(same), [e.detach() for e in embeddings])
            assert not final.requires_grad
            assert torch.equal(final, logits)
    assert len(shapes) == 3
    assert packed.compiled, packed.compile_reason
    assert graphs() == 1


def test_a_run_with_several_recipes_makes_one_graph(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], graphs: Callable[[], int]
) -> None:
    recipes = [RECIPES.get(name) for name in ("plain", "goals", "noise", "hidden")]
    examples = expand(prepared[:2], recipes, mllm.adapter)
    config = OptimizeConfig(compile=True, loss=0.7, margin=0.0, steps=30)
    optimization = Optimization(mllm, examples, config)
    results = list(optimization.run())
    assert len({result.steps for result in results}) > 1  # the number of rows changed
    assert optimization.resolved().compiled
    assert graphs() == 1


def test_the_compiler_gives_the_same_numbers(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_layers, "BACKEND", "inductor")
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    logits, gradient = logits_and_grad(packed, task, start.perturbed().features)
    compile_forward(packed, task)
    assert packed.compiled, packed.compile_reason
    compiled_logits, compiled_gradient = logits_and_grad(packed, task, start.perturbed().features)
    assert relative_error(compiled_logits, logits) < 1e-5
    assert relative_error(compiled_gradient, gradient) < 1e-5


@pytest.mark.parametrize("heads", [4, 2, 1], ids=lambda n: f"{n} of 4 heads have keys")
@pytest.mark.parametrize(("queries", "before"), [(16, 3), (1, 0), (13, 24)])
def test_the_operator_is_the_attention(heads: int, queries: int, before: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 4, queries, 8, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, heads, before + queries, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))
    hidden = ~torch.ones(queries, before + queries, dtype=torch.bool).tril(before)
    mask = torch.zeros(hidden.shape, dtype=torch.float64).masked_fill(hidden, -1e9)[None, None]
    ours, _ = operator_attention(nn.Module(), query, key, value, aligned(mask))
    repeated = [x.repeat_interleave(4 // heads, 1) for x in (key, value)]
    expected = nn.functional.scaled_dot_product_attention(query, *repeated, mask).transpose(1, 2)
    weight = torch.randn_like(expected)
    for gradient, reference in zip(
        torch.autograd.grad((ours * weight).sum(), [query, key, value]),
        torch.autograd.grad((expected * weight).sum(), [query, key, value]),
        strict=True,
    ):
        assert torch.allclose(gradient, reference, atol=1e-12)
    assert torch.allclose(ours, expected, atol=1e-12)


# --- without a compiler -----------------------------------------------------------------------------------------------


def run_out_of_memory(*_: Any, **__: Any) -> Any:
    raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")


def change_a_number(graph: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
    """A compiler that compiles something else."""

    def run(*inputs: Any) -> Any:
        return [output * 1.5 if isinstance(output, Tensor) else output for output in graph(*inputs)]

    return run


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (run_out_of_memory, "20.00 GiB"),
        (change_a_number, "does not compute what the step computes"),
        ("no_such_backend", "no_such_backend"),
    ],
)
def test_what_cannot_be_compiled_runs_as_it_is(
    backend: Any,
    reason: str,
    mllm: MLLM,
    prepared: tuple[PreparedExample, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled_layers, "BACKEND", backend)
    config = OptimizeConfig(loss=1.0, margin=0.0)
    optimization = Optimization(mllm, prepared[:2], replace(config, compile=True))
    resolved = optimization.resolved()
    assert not resolved.compiled
    assert resolved.compile_reason is not None
    assert reason in resolved.compile_reason
    assert "\n" not in resolved.compile_reason
    plain = {result.id: result for result in optimize(mllm, prepared[:2], replace(config, compile=False))}
    for result in optimization.run():
        assert result.embedding is not None
        expected = plain[result.id].embedding
        assert expected is not None
        assert torch.equal(result.embedding.features, expected.features)


def test_a_card_too_small_for_the_proof_runs_without(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is too large is no reason to end: the engine recomputes layers then."""
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    monkeypatch.setattr(packed, "_logits", run_out_of_memory)
    compile_forward(packed, task)
    assert not packed.compiled
    assert "20.00 GiB" in packed.compile_reason


def test_a_layer_of_another_form_is_not_compiled(spoilt: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(hidden_states: Tensor, attention_mask: Tensor, past_key_values: Any) -> Tensor:
        return hidden_states

    start, (task, *_) = spoilt.blank(), make_tasks(spoilt, 1)
    packed = Packed(spoilt, start, [task])
    monkeypatch.setattr(packed.decoder.layers[0], "forward", forward)
    with pytest.raises(compiled_layers.CompileNotSupported, match="form of transformers' own"):
        packed.compile()


def test_a_step_that_fails_later_runs_as_it_is(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    compile_forward(packed, task)
    assert packed.compiled

    def failing(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a kernel failed")

    layers = packed._compiled_layers
    assert layers is not None
    for layer in layers.layers:
        monkeypatch.setattr(layer, "function", failing)
    logits, _ = logits_and_grad(packed, task, start.features)
    assert (packed.compiled, packed.compile_reason) == (False, "torch could not compile it: a kernel failed")
    expected, _ = logits_and_grad(Packed(mllm, start, [task]), task, start.features)
    assert torch.equal(logits, expected)


def test_a_machine_without_a_compiler_is_named(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_layers, "BACKEND", "inductor")
    monkeypatch.setattr(inductor.cpp, "cxx", ("no-such-compiler",))
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    with fresh_cache():
        compile_forward(packed, task)
    assert not packed.compiled
    assert "compiler" in packed.compile_reason


def test_recomputed_layers_are_not_compiled(mllm: MLLM) -> None:
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    packed.compile()
    packed.enable_checkpointing()
    assert not packed.compiled
    assert "recomputed" in packed.compile_reason
    compile_forward(packed, task)
    assert not packed.compiled


def test_other_ways_to_run_the_model_are_not_compiled(spoilt: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    start, (task, *_) = spoilt.blank(), make_tasks(spoilt, 1)
    backbone = PackedBackbone(spoilt, start, [task])
    compile_forward(backbone, task)
    assert "packed-backbone" in backbone.compile_reason
    monkeypatch.setattr(spoilt.adapter.language_model(spoilt.model).config, "_attn_implementation", "eager")
    packed = Packed(spoilt, start, [task])
    compile_forward(packed, task)
    assert packed.compile_reason == "its attention is eager, not sdpa"


# --- whether it pays --------------------------------------------------------------------------------------------------


def test_auto_compiles_where_it_saves_more_seconds_than_it_takes() -> None:
    step, h200 = 17.1e12, 780e12
    assert choose_compile("auto", "cuda", flop=2000 * 60 * step, flop_per_second=h200).wanted
    few = choose_compile("auto", "cuda", flop=10 * 60 * step, flop_per_second=h200)
    assert not few.wanted
    assert "takes about 20 s" in few.reason
    assert choose_compile("auto", "cpu", flop=1e20, flop_per_second=1e11).reason == ""
    assert choose_compile(True, "cpu", flop=0.0, flop_per_second=1.0).wanted
    assert not choose_compile(False, "cuda", flop=1e20, flop_per_second=1e11).wanted
