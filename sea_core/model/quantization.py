"""Weights in 4 or 8 bits: which layers of a model are quantised, how it is loaded so, and what that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import nn

from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

Quantization: TypeAlias = Literal["", "4bit", "8bit"]
"""In how many bits the weights of the language model's linear layers are kept; empty for the dtype of all others."""
WEIGHT_BYTES = {"4bit": 0.516, "8bit": 1.0}
"""Bytes per quantised weight. NF4 has 4 bits, and for each 64 weights a scale of 8 bits, which has one for each 256."""


def read_quantization(name: str, option: str = "--quantize") -> Quantization:
    """Return the quantisation of that name; empty for `none`.

    Raises:
        SeaError: there is no such quantisation.
    """
    known: dict[str, Quantization] = {"": "", "none": "", "4bit": "4bit", "8bit": "8bit"}
    if name in known:
        return known[name]
    raise SeaError(f"{option} {name} is not known", hint=f"Type one of: {option} 4bit, {option} 8bit")


def quantized_layers(mllm: MLLM) -> dict[str, nn.Linear]:
    """Return the layers that are quantised, by name: the language model's linear layers, but not its head."""
    language = {id(p) for p in mllm.language_parameters()}
    head, decoder = mllm.model.get_output_embeddings(), mllm.adapter.language_model(mllm.model)
    names = {module: name for name, module in mllm.model.named_modules()}
    linear = [m for m in decoder.modules() if isinstance(m, nn.Linear) and m is not head]
    return {names[module]: module for module in linear if id(module.weight) in language}


def weight_bytes(mllm: MLLM, quantize: Quantization) -> int:
    """Return the size of a model's weights; of one on the meta device, as it would be with this quantisation."""
    total = int(sum(p.numel() for p in mllm.model.parameters()) * mllm.dtype.itemsize)
    if not quantize:
        return total
    before = sum(layer.in_features * layer.out_features for layer in quantized_layers(mllm).values())
    return int(total - before * (mllm.dtype.itemsize - WEIGHT_BYTES[quantize]))
