"""Which weights are trained: LoRA on the language model, by full module path, and what may be trained beside it."""

from __future__ import annotations

from typing import Any

from peft import LoraConfig
from torch import nn
from transformers.pytorch_utils import Conv1D

from sea_core.alignment.config import AlignRequest
from sea_core.alignment.passthrough import passed_on
from sea_core.errors import ModelError
from sea_core.model.mllm import MLLM


def target_modules(mllm: MLLM) -> list[str]:
    """Return the full paths of the language model's linear layers.

    Bare names (`q_proj`, `all-linear`) would also be found in the encoder, which has layers of the same names.
    """
    names = {module: name for name, module in mllm.model.named_modules()}
    decoder = mllm.adapter.language_model(mllm.model)
    found = [names[module] for module in decoder.modules() if isinstance(module, nn.Linear | Conv1D)]
    if not found:
        raise ModelError(
            "there is no linear layer in what the adapter's `language_model` returns",
            hint="Check the plugin: sea plugin check NAME",
        )
    return found


def lora_config(mllm: MLLM, terms: AlignRequest) -> Any:
    """Return PEFT's configuration: ours, overridden by what was passed on."""
    ours: dict[str, Any] = {"r": 16, "lora_alpha": 32, "target_modules": target_modules(mllm)}
    if terms.config.train_projector:
        names = {module: name for name, module in mllm.model.named_modules()}
        ours["modules_to_save"] = [names[mllm.projector]]
    return passed_on(LoraConfig, ours, terms.lora, "lora")


def unfreeze_language_model(mllm: MLLM, terms: AlignRequest) -> None:
    """Make all weights behind the projector trainable, and those of the projector where that was asked for."""
    for parameter in mllm.language_parameters():
        parameter.requires_grad_(True)
    if terms.config.train_projector:
        mllm.projector.requires_grad_(True)


def require_only_expected_trainable(mllm: MLLM, model: nn.Module, projector: bool) -> list[str]:
    """Check what is trainable, and return the names.

    Args:
        model: as it will be trained, adapter included.
        projector: whether the projector may be trained.

    Raises:
        ModelError: nothing is trainable, or something is that lies in front of the language model.
    """
    allowed = {id(p) for p in mllm.language_parameters()}
    if projector:
        allowed |= {id(p) for p in mllm.adapter.projector(mllm.model).parameters()}
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    strays = [name for name, p in named if id(p) not in allowed]
    if strays:
        raise ModelError(
            f"{len(strays)} weights outside of the language model would be trained, {strays[0]} for one",
            hint="Leave lora.target_modules out, or give full paths of the language model's layers.",
        )
    if not named:
        raise ModelError(
            "nothing would be trained: no layer of the language model has an adapter",
            hint="Leave lora.target_modules out, or give full paths of the language model's layers.",
        )
    return [name for name, _ in named]
