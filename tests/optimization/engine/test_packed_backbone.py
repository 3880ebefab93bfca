"""The packed forward through the whole backbone: families whose decoder takes more than embeddings and positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.bidirectional import BidirectionalAdapter, bidirectional_model
from helpers.cli import sea
from helpers.engine import gradient_and_memory, make_tasks, removing
from helpers.families import write_checkpoint
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine import layer_inputs, packed_backbone
from sea_core.optimization.engine.activation_checkpointing import activation_checkpointing
from sea_core.optimization.engine.forward import Sequential
from sea_core.optimization.engine.layer_inputs import LayerInputs
from sea_core.optimization.engine.packed import PackingNotSupported
from sea_core.optimization.engine.packed_backbone import PackedBackbone
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import logits_and_grad, select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationTask
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun

PACKED = {
    "qwen3_vl": "image",  # features for several layers
    "gemma3": "image",  # media attention and sliding windows
    "gemma4": "image",  # inputs of each layer
    "mllama": "image",  # cross attention
    "llava_next": "image",  # tiles
    "qwen2_5_omni": "image+audio",
}
SPLICED = "spliced gemma3"  # token types
TOLERANCE = 1e-5

Load = Callable[[str], MLLM]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Return a family's tiny model in fp32, on one thread."""
    torch.set_num_threads(1)

    @cache
    def load(name: str) -> MLLM:
        if name == SPLICED:
            return bidirectional_model(BidirectionalAdapter(), torch.float32)
        folder = tmp_path_factory.mktemp(name)
        write_checkpoint(name, folder)
        target = ModelTarget.find("auto", modality=PACKED.get(name, "image"), model=str(folder), dtype="float32")
        return target.load()

    return load


def make_forward(mllm: MLLM, n_tasks: int = 2) -> tuple[PackedBackbone, list[OptimizationTask]]:
    tasks = make_tasks(mllm, n_tasks)
    return PackedBackbone(mllm, mllm.blank(), tasks), tasks


# --- what it computes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PACKED, SPLICED])
def test_logits_and_gradient_are_those_of_separate_sequences(load: Load, name: str) -> None:
    mllm = load(name)
    start, tasks = mllm.blank(), make_tasks(mllm)
    packed, sequential = select_forward(mllm, start, tasks), Sequential(mllm, start)
    assert (packed.name, packed.fallback_reason) == ("packed-backbone", "")
    for task in tasks:
        assert packed.tokens(task) < sequential.tokens(task)
        logits, gradient = logits_and_grad(packed, task, start.perturbed().features)
        reference_logits, reference = logits_and_grad(sequential, task, start.perturbed().features)
        assert relative_error(logits, reference_logits) < TOLERANCE
        assert relative_error(gradient, reference) < TOLERANCE


@pytest.mark.parametrize("name", PACKED)
def test_an_embedding_gets_the_same_logits_beside_another_one(load: Load, name: str) -> None:
    packed, (task, _) = make_forward(load(name))
    features = [packed.start.features, packed.start.perturbed().features]
    with torch.no_grad():
        together = packed.logits(packed.prepare_batch([task, task]), features)
        alone = [packed.logits(packed.prepare_batch([task]), [e]) for e in features]
    assert relative_error(together, torch.cat(alone)) < TOLERANCE


@pytest.mark.parametrize("name", ["mllama", "qwen3_vl"])
def test_a_batch_of_a_new_size_is_packed_as_well(load: Load, name: str) -> None:
    """The model's own pass for five media is recorded on the way, and has another length."""
    forward, tasks = make_forward(load(name))
    features = forward.start.perturbed().features
    together = forward.logits(forward.prepare_batch([tasks[0]] * 5), [features] * 5)
    alone = forward.logits(forward.prepare_batch(tasks[:1]), [features])
    assert relative_error(together, alone.repeat(5, 1)) < TOLERANCE


def test_eager_attention_is_packed_as_well(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its masks are added, not boolean."""
    mllm = load("gemma3")
    monkeypatch.setattr(mllm.adapter.language_model(mllm.model).config, "_attn_implementation_internal", "eager")
    tasks = make_tasks(mllm, 1)
    packed = select_forward(mllm, mllm.blank(), tasks)
    assert isinstance(packed, PackedBackbone)
    masks = [inputs["attention_mask", ""] for inputs in packed.prepare_batch(tasks).inputs]
    assert all(mask.is_floating_point() for mask in masks)


def test_every_task_of_a_run_gets_the_loss_of_separate_sequences(load: Load) -> None:
    mllm = load("gemma4")
    start, tasks = mllm.blank(), make_tasks(mllm, 4)
    config = EngineConfig(0.1 * start.rms, (0.8, 0.99), steps=2, loss=0.0, margin=0.0, batch_size=3)
    packed, separate = (
        {r.id: r.loss for r in Engine(mllm, start, config, forward).run(tasks)}
        for forward in (select_forward(mllm, start, tasks), Sequential(mllm, start))
    )
    assert packed == pytest.approx(separate, rel=1e-4)


def test_the_medium_passes_the_decoder_once_per_step(load: Load) -> None:
    packed, (task, _) = make_forward(load("qwen3_vl"))
    batch = packed.prepare_batch([task])
    counted: list[int] = []
    handle = packed.decoder.register_forward_pre_hook(
        lambda _m, _a, kwargs: counted.append(kwargs["inputs_embeds"].shape[:2].numel()), with_kwargs=True
    )
    with removing(handle):
        packed.logits(batch, [packed.start.features])
    assert counted == [packed.tokens(task)]


def test_checkpointing_takes_less_memory_and_gives_the_same_gradient(load: Load) -> None:
    packed, (task, _) = make_forward(load("gemma3"))
    gradient, peak = gradient_and_memory(packed, task)
    packed.enable_checkpointing()
    with activation_checkpointing(packed.decoder):
        recomputed, smaller_peak = gradient_and_memory(packed, task)
    assert relative_error(recomputed, gradient) < TOLERANCE
    assert smaller_peak < 0.5 * peak


# --- what is caught ---------------------------------------------------------------------------------------------------


def fallback_reason(mllm: MLLM) -> str:
    forward = select_forward(mllm, mllm.blank(), make_tasks(mllm, 2))
    assert forward.name == "sequential"
    return forward.fallback_reason


def causal(own: Tensor, spans: layer_inputs.Spans) -> Tensor:
    """Return a mask under which a goal attends to the goals before it."""
    length = spans.opening + sum(spans.texts)
    return torch.ones(length, length, dtype=torch.bool).tril()[None, None]


def masks_only(*records: Any) -> list[LayerInputs]:
    """Do not restart positions at each goal."""
    layers = layer_inputs.pack_inputs(*records)
    return [{path: tensor for path, tensor in inputs.items() if path[0] == "attention_mask"} for inputs in layers]


@pytest.mark.parametrize("name", ["qwen3_vl", "mllama"])
def test_a_wrong_mask_is_caught(load: Load, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_inputs, "_pack_mask", causal)
    assert "Check the block mask" in fallback_reason(load(name))


@pytest.mark.parametrize("name", ["qwen3_vl", "gemma3"])
def test_wrong_positions_are_caught(load: Load, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_backbone, "pack_inputs", masks_only)
    assert "or the positions" in fallback_reason(load(name))


def test_positions_that_are_added_before_the_first_layer_are_caught(load: Load) -> None:
    assert "the logits of answer 2" in fallback_reason(load("blip-2"))


def test_recurrent_layers_are_not_packed(load: Load) -> None:
    assert "it has layers of linear attention" in fallback_reason(load("qwen3_5"))


class AllMediumAdapter(BidirectionalAdapter):
    """Takes every token for a medium's, so that all attend to all."""

    def backbone_inputs(self, model: Any, input_ids: Any, attention_mask: Any, grids: Any) -> Mapping[str, Any]:
        return {"token_type_ids": torch.ones_like(input_ids)}


def test_a_medium_that_attends_to_the_text_after_it_is_not_packed() -> None:
    mllm = bidirectional_model(AllMediumAdapter(), torch.float32)
    assert "what comes before the goals' texts attends to them" in fallback_reason(mllm)


def test_a_model_that_fails_on_a_packed_sequence_runs_separate_ones(load: Load) -> None:
    mllm = load("llava_next")
    longest = max(Sequential(mllm, mllm.blank()).shape(task)[1] for task in make_tasks(mllm, 2))

    def refuse(_module: Any, _args: Any, kwargs: Any) -> None:
        if kwargs["inputs_embeds"].shape[1] > longest:
            raise ValueError(f"at most {longest} tokens")

    handle = mllm.adapter.language_model(mllm.model).register_forward_pre_hook(refuse, with_kwargs=True)
    with removing(handle):
        assert f"its forward pass fails on a packed sequence: at most {longest} tokens" in fallback_reason(mllm)


def test_a_packed_sequence_that_fails_in_mid_run_is_replaced_by_separate_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint("llava_next", tmp_path / "model")
    options = ("--model", tmp_path / "model", "--dtype", "float32", "--limit", 3, "-o", "steps=2", "-o", "batch_size=1")

    def losses(run: str, *more: object) -> tuple[dict[str, float], str]:
        command = ("optimize", "--plugin", "auto", "--modality", "image", *options, "--out", tmp_path / run)
        done = sea(*command, "--no-verify", *more)
        assert done.code in (0, 1), done.err
        return {r["id"]: r["loss"] for r in EmbeddingRun(tmp_path / run).store.records()}, done.err

    expected, _ = losses("separate", "-o", "packed=false")
    steps, run_packed = iter(range(100)), PackedBackbone.logits

    def logits(self: PackedBackbone, *args: Any) -> Tensor:
        if next(steps) == 8:  # after the check and the first task
            raise PackingNotSupported("it takes no more of them")
        return run_packed(self, *args)

    monkeypatch.setattr(PackedBackbone, "logits", logits)
    found, notes = losses("packed")
    assert "each goal runs as its own sequence, which takes about twice as long: it takes no more of them" in notes
    assert found == pytest.approx(expected, rel=1e-4)
    resolved = EmbeddingRun(tmp_path / "packed").manifest.resolved
    assert (resolved.forward, resolved.fallback_reason) == ("sequential", "it takes no more of them")
