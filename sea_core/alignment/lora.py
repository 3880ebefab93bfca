"""Which weights are trained: LoRA on the language model, by full module path, and optionally the projector."""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sea_core.alignment.config import AlignRequest
from sea_core.alignment.passthrough import build_config
from sea_core.errors import ModelError, number_of
from sea_core.model.mllm import MLLM
from sea_core.model.quantization import is_quantized_layer


def target_modules(mllm: MLLM) -> list[str]:
    """Return the full paths of the language model's linear layers.

    Short names (`q_proj`, `all-linear`) would also match the encoder, which has layers of the same names.

    Raises:
        ModelError: there are none.
    """
    names = {module: name for name, module in mllm.model.named_modules()}
    decoder = mllm.adapter.language_model(mllm.model)
    language = {id(p) for p in mllm.language_parameters()}
    linear = [module for module in decoder.modules() if isinstance(module, nn.Linear | Conv1D) and _is_linear(module)]
    found = [names[module] for module in linear if id(module.weight) in language]
    if not found:
        raise ModelError(
            "the module that the adapter's `language_model` returns has no linear layer",
            hint="Check the plugin: sea plugins check NAME",
        )
    return found


def _is_linear(module: Any) -> bool:
    """Return whether a module returns a product: a subclass, such as the router of a mixture of experts, may not."""
    if type(module).forward in (nn.Linear.forward, Conv1D.forward):
        return True
    if is_quantized_layer(module):
        return True
    with torch.no_grad():
        return isinstance(module(module.weight.new_zeros(1, module.weight.shape[1])), Tensor)


def lora_config(mllm: MLLM, request: AlignRequest) -> Any:
    """Return PEFT's LoraConfig: SEA's defaults, overridden by `-o lora.KEY=VALUE`.

    Raises:
        SeaError: PEFT does not accept a setting.
    """
    defaults: dict[str, Any] = {"r": 16, "lora_alpha": 32, "target_modules": target_modules(mllm)}
    if request.config.train_projector:
        names = {module: name for name, module in mllm.model.named_modules()}
        defaults["modules_to_save"] = [names[module] for module in mllm.projectors()]
    return build_config(LoraConfig, defaults, request.lora, "lora")


def unfreeze_language_model(mllm: MLLM, request: AlignRequest) -> None:
    """Make all weights of the language model trainable, and the projector's if the request says so."""
    for parameter in mllm.language_parameters():
        parameter.requires_grad_(True)
    if request.config.train_projector:
        mllm.projector.requires_grad_(True)


def require_only_expected_trainable(mllm: MLLM, model: nn.Module, train_projector: bool) -> list[str]:
    """Check which weights are trainable, and return their names.

    Args:
        model: the model as it will be trained, with its LoRA adapter.
        train_projector: whether the projector may be trained.

    Raises:
        ModelError: nothing is trainable, or a weight outside the language model is.
    """
    allowed = {id(p) for p in mllm.language_parameters()}
    if train_projector:
        allowed |= {id(p) for p in mllm.find_projector().parameters()}
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    unexpected = [name for name, p in trainable if id(p) not in allowed]
    hint = "Leave lora.target_modules out, or give full paths of the language model's layers."
    if unexpected:
        raise ModelError(
            f"{number_of(len(unexpected), 'weight')} outside the language model would be trained, "
            f"for example {unexpected[0]}",
            hint=hint,
        )
    if not trainable:
        raise ModelError("nothing would be trained: no layer of the language model has a LoRA adapter", hint=hint)
    return [name for name, _ in trainable]
