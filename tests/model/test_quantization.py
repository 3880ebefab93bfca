"""Quantised weights: which layers, that gradients pass through them, and that the packed step still holds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from transformers import LlavaForConditionalGeneration
from transformers.pytorch_utils import Conv1D

from helpers.cli import expect_error
from helpers.engine import make_tasks
from sea_core.errors import ModelError, SeaError
from sea_core.model import quantization
from sea_core.model.checkpoint import load_transformers
from sea_core.model.libraries import install_command
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.model.proof import check_seam
from sea_core.model.quantization import (
    is_quantized_layer,
    quantization_of,
    quantized_layers,
    read_quantization,
    weight_bytes,
)
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.forward import Sequential
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.select_forward import logits_and_grad, select_forward
from sea_core.pipeline.model_target import ModelTarget

pytest.importorskip("bitsandbytes")
KINDS = ("4bit", "8bit")
PLUGINS = ("llava", "qwen2_audio")


@cache
def load(quantize: str, plugin: str = "llava", dtype: str = "float32") -> MLLM:
    return ModelTarget.find(plugin, quantize=quantize, dtype=dtype, device="cpu").load()


def unpacked(mllm: MLLM) -> MLLM:
    """Return the same model with the quantised weights unpacked into ordinary layers."""
    from bitsandbytes.functional import dequantize_4bit

    whole = load("none").model
    model: Any = type(whole)(whole.config)
    model.load_state_dict(whole.state_dict())
    for name, module in mllm.model.named_modules():
        if is_quantized_layer(module):
            weight: Any = module.weight
            if hasattr(weight, "quant_state"):
                plain = dequantize_4bit(weight.data, weight.quant_state)
            else:
                scale = module.state.SCB if weight.SCB is None else weight.SCB
                plain = weight.data * scale[:, None] / 127
            model.get_submodule(name).weight.data = plain.float()
    return MLLM(mllm.adapter, model, mllm.processor)


class OtherLinear(nn.Linear):
    """A linear layer of a class of its own, which bitsandbytes leaves as it is."""


class LlavaWithOtherLayers(LlavaForConditionalGeneration):
    """A LLaVA that has Conv1D in its encoder and in its language model, and a subclass of nn.Linear there."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        encoder, decoder = self.model.vision_tower.encoder.layers, self.model.language_model.layers
        for mlp, name in ((encoder[0].mlp, "fc1"), (decoder[0].mlp, "up_proj")):
            layer = mlp.get_submodule(name)
            setattr(mlp, name, Conv1D(layer.out_features, layer.in_features))
        layer = decoder[0].mlp.down_proj
        decoder[0].mlp.down_proj = OtherLinear(layer.in_features, layer.out_features, bias=False)


@pytest.fixture(scope="module")
def other_layers(tmp_path_factory: pytest.TempPathFactory) -> ModelTarget:
    """The tiny LLaVA with these layers."""
    folder, whole = tmp_path_factory.mktemp("model"), load("none")

    class Own(type(whole.adapter)):  # type: ignore[misc]
        def load(self, checkpoint: str, **where: Any) -> tuple[Any, Any]:
            library = SimpleNamespace(LlavaWithOtherLayers=LlavaWithOtherLayers)
            return load_transformers(checkpoint, ("LlavaWithOtherLayers",), library=library, **where)

    LlavaWithOtherLayers(whole.model.config).save_pretrained(folder)
    whole.processor.save_pretrained(folder)
    target = ModelTarget.find("llava", device="cpu", dtype="float32")
    return replace(target, adapter=Own(**vars(target.adapter)), checkpoint=str(folder))


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_other_classes_are_counted_as_they_are_quantised(other_layers: ModelTarget, kind: Any) -> None:
    """transformers also quantises a Conv1D, and leaves subclasses of nn.Linear as they are."""
    model = replace(other_layers, quantize=kind).load().model
    shapes_only = replace(other_layers, device="meta").load()
    quantised = {name for name, m in model.named_modules() if is_quantized_layer(m)}
    assert quantised == set(quantized_layers(shapes_only))
    first = model.model.language_model.layers[0].mlp
    assert is_quantized_layer(first.up_proj)
    assert type(first.down_proj) is OtherLinear
    assert type(model.model.vision_tower.encoder.layers[0].mlp.fc1) is Conv1D
    held = sum(p.numel() * p.itemsize for p in model.parameters())
    assert weight_bytes(shapes_only, kind) == pytest.approx(held, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_only_linear_layers_of_the_language_model_are_quantised(plugin: str, kind: str) -> None:
    mllm = load(kind, plugin)
    assert quantization_of(mllm.model) == kind
    linear = {name for name, m in mllm.model.named_modules() if isinstance(m, nn.Linear)}
    quantised = {name for name in linear if is_quantized_layer(mllm.model.get_submodule(name))}
    assert quantised
    assert quantised == set(quantized_layers(ModelTarget.find(plugin, dtype="float32", device="meta").load()))
    assert all(".layers." in name and "language_model" in name for name in quantised)
    others = [p for m in (*mllm.projectors(), mllm.model.get_output_embeddings()) for p in m.parameters()]
    assert {p.dtype for p in [*others, *mllm.encoder_parameters()]} == {torch.float32}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_seam_and_the_packed_step_hold(plugin: str, kind: str) -> None:
    """On the packed step's own tolerance; the check of the seam includes that a gradient reaches E."""
    mllm = load(kind, plugin)
    check_seam(mllm)
    tasks = make_tasks(mllm)
    forward = select_forward(mllm, mllm.blank(), tasks)
    assert forward.name == "packed", forward.fallback_reason


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_gradients_are_those_of_the_unpacked_weights(kind: str) -> None:
    quantised, plain = load(kind), unpacked(load(kind))
    with torch.no_grad():  # a kernel for inference must not stay
        quantised.generate(["What is in the image?"], [quantised.blank()], 2)
    task = make_tasks(quantised)[0]
    found, expected = (
        logits_and_grad(Packed(each, each.blank(), [task]), task, quantised.blank().perturbed().features)
        for each in (quantised, plain)
    )
    assert found[1].any()
    for ours, theirs in zip(found, expected, strict=True):
        assert relative_error(ours, theirs) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_does_not_depend_on_its_batch(kind: str) -> None:
    """The product of bitsandbytes in 8 bits rounds the inputs of all examples of a batch together."""
    mllm = load(kind)
    tasks = make_tasks(mllm)
    forward = Sequential(mllm, mllm.blank())
    alone = forward.logits(forward.prepare_batch(tasks[:1]), [nn.Parameter(mllm.blank().features)])
    start = mllm.blank()
    started = [nn.Parameter(e.features) for e in (start, start.perturbed(), start.perturbed())]
    together = forward.logits(forward.prepare_batch(tasks), started)
    assert torch.allclose(alone, together[: len(alone)], atol=1e-4)


def test_a_kernel_without_gradients_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitsandbytes repacks 4-bit weights on CPUs with bf16 instructions, and then returns no gradient."""
    mllm = ModelTarget.find("llava", device="cpu", dtype="float32").load()
    layer: Any = mllm.adapter.language_model(mllm.model).layers[0]
    monkeypatch.setattr(layer, "forward", lambda hidden, *args, **kwargs: hidden.detach() * 1.0)
    with pytest.raises(ModelError, match="no gradient of the hidden states reaches the embedding"):
        check_seam(mllm)


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_that_of_the_plan(kind: str) -> None:
    mllm = load(kind)
    shapes_only = ModelTarget.find("llava", device="meta", dtype="float32").load()
    held = sum(p.numel() * p.itemsize for p in mllm.model.parameters())
    assert weight_bytes(shapes_only, read_quantization(kind)) == pytest.approx(held, rel=0.02)


def test_it_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    from sea_core.data.demo import DEMO_EXAMPLES
    from sea_core.extraction.prepare import prepare
    from sea_core.optimization.optimizer import Optimization
    from sea_core.pipeline.read import read_examples

    mllm = load("4bit")
    examples = prepare(read_examples(DEMO_EXAMPLES).examples, mllm.adapter).prepared[:2]
    optimization = Optimization(mllm, examples, OptimizeConfig(compile=True))
    assert not optimization.forward.compiled
    assert "quantised" in optimization.forward.compile_reason


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quantization, "find_spec", lambda name: None)
    target = ModelTarget.find("llava", quantize="4bit", device="cpu")
    with pytest.raises(SeaError, match="needs the library bitsandbytes") as error:
        target.load()
    assert install_command("sea-core[quantize]") in str(error.value.hint)
    message = expect_error("optimize", "--plugin", "llava", "--quantize", "2bit", "--out", tmp_path / "run")
    assert "--quantize 2bit is not known" in message


def test_a_plugin_that_loads_in_its_own_way_is_refused() -> None:
    class Own(type(load("none").adapter)):  # type: ignore[misc]
        def load(self, checkpoint: str, **_: Any) -> tuple[Any, Any]:
            return load("none").model, load("none").processor

    target = ModelTarget.find("llava", quantize="4bit", device="cpu", dtype="float32")
    own = replace(target, adapter=Own(**vars(target.adapter)))
    with pytest.raises(ModelError, match="does not quantise it"):
        own.load()


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    """A run that was made with quantised weights is not resumed with others."""
    from helpers.cli import sea

    command = ("optimize", "--plugin", "llava", "--limit", 1, "--out", tmp_path / "run", "-o", "steps=1", "--no-verify")
    assert sea(*command, "--quantize", "4bit").code in (0, 1)
    message = expect_error(*command)
    assert "model.quantization: stored 4bit, requested" in message
