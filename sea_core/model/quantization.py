"""Weights in 4 or 8 bits: which layers of a model are quantised, how it is loaded so, and what that takes.

Importing this module does not import torch, so that option values can be checked cheaply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sea_core.errors import SeaError
from sea_core.model.libraries import install_command

if TYPE_CHECKING:
    import torch
    from torch import nn

    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM

Quantization: TypeAlias = Literal["", "4bit", "8bit"]
"""In how many bits the weights of the language model's linear layers are kept; empty for the dtype of all others."""
WEIGHT_BYTES = {"4bit": 0.516, "8bit": 1.0}
"""Bytes per quantised weight. NF4 has 4 bits, and for each 64 weights a scale of 8 bits, which has one for each 256."""


def read_quantization(name: str) -> Quantization:
    """Return the quantisation of that name; empty for `none`.

    Raises:
        SeaError: there is no such quantisation.
    """
    known: dict[str, Quantization] = {"": "", "none": "", "4bit": "4bit", "8bit": "8bit"}
    if name in known:
        return known[name]
    raise SeaError(f"--quantize {name} is not known", hint="Type one of: --quantize 4bit, --quantize 8bit")


def quantized_layers(mllm: MLLM) -> dict[str, Any]:
    """Return the layers that are quantised, by name: the language model's linear layers, but not its head."""
    language = {id(p) for p in mllm.language_parameters()}
    head, decoder = mllm.model.get_output_embeddings(), mllm.adapter.language_model(mllm.model)
    names = {module: name for name, module in mllm.model.named_modules()}
    linear = [m for m in decoder.modules() if _can_be_quantized(m) and m is not head]
    return {names[module]: module for module in linear if id(module.weight) in language}


def _can_be_quantized(module: nn.Module) -> bool:
    """Return whether transformers would quantise a layer by its class: no subclass of `nn.Linear`."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    return type(module) is nn.Linear or isinstance(module, Conv1D)


def weight_bytes(mllm: MLLM, quantize: Quantization) -> int:
    """Return the size of a model's weights; of one on the meta device, as it would be with this quantisation."""
    total = int(sum(p.numel() for p in mllm.model.parameters()) * mllm.dtype.itemsize)
    if not quantize:
        return total
    before = sum(layer.weight.numel() for layer in quantized_layers(mllm).values())
    return int(total - before * (mllm.dtype.itemsize - WEIGHT_BYTES[quantize]))


@dataclass(frozen=True)
class _Loading:
    """How models are loaded inside `quantized_loading`.

    Attributes:
        layers: (model on the meta device, processor) -> names of the layers to quantise.
    """

    quantize: Quantization
    layers: Callable[[Any, Any], Collection[str]]


_loading: ContextVar[_Loading | None] = ContextVar("quantized loading", default=None)


@contextmanager
def quantized_loading(quantize: Quantization, adapter: Adapter) -> Iterator[None]:
    """Load checkpoints with quantised weights inside the block: what `load_settings` returns then says so.

    Raises:
        SeaError: the library for it is not installed.
    """
    from sea_core.model.mllm import MLLM

    if not quantize:
        yield
        return
    if find_spec("bitsandbytes") is None:
        raise SeaError(
            f"--quantize {quantize} needs the library bitsandbytes, which is not installed",
            hint=f"Type: {install_command('sea-core[quantize]')}",
        )
    token = _loading.set(_Loading(quantize, lambda model, processor: quantized_layers(MLLM(adapter, model, processor))))
    try:
        yield
    finally:
        _loading.reset(token)


def load_settings(
    shapes_only: Callable[[], Any], processor: Callable[[], Any], dtype: torch.dtype, device: str
) -> dict[str, Any]:
    """Return the keywords with which `from_pretrained` quantises the right layers; none outside `quantized_loading`.

    Everything else stays in the dtype: encoder, projector, token embeddings, norms and head.

    Args:
        shapes_only: returns the model on the meta device. processor: returns the processor.
    """
    loading = _loading.get()
    if loading is None:
        return {}
    from transformers import BitsAndBytesConfig

    model = shapes_only()
    quantized = loading.layers(model, processor())
    others = [name for name, m in model.named_modules() if _can_be_quantized(m) and name not in quantized]
    shared = {"llm_int8_skip_modules": [f"{re.escape(name)}$" for name in others]}
    if loading.quantize == "4bit":
        nf4 = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": dtype}
        config = BitsAndBytesConfig(load_in_4bit=True, **nf4, **shared)
    else:
        config = BitsAndBytesConfig(load_in_8bit=True, **shared)
    return {"quantization_config": config, "device_map": {"": device}}


def quantization_of(model: Any) -> Quantization:
    """Return how a loaded model is quantised; empty if it is not."""
    if getattr(model, "is_loaded_in_4bit", False):
        return "4bit"
    return "8bit" if getattr(model, "is_loaded_in_8bit", False) else ""


def is_quantized_layer(module: nn.Module) -> bool:
    """Return whether a layer is quantised."""
    return type(module).__name__ in ("Linear4bit", "Linear8bitLt")
