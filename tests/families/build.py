"""Build a tiny model of a model type's real class."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from families.classes import list_classes
from families.settings import ARGUMENTS, SETTINGS
from families.shrink import ENCODER_WIDTH, set_field, shrink

LARGEST = 450_000_000
"""Parameters of a model that is still worth building."""

SHAKE = 0.05

FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a model raises on a config, or on inputs, that it cannot take."""


class NotBuilt(Exception):
    """A tiny model of this type cannot be built."""


def build(model_type: str, encoder_width: int = ENCODER_WIDTH) -> tuple[PreTrainedModel, PreTrainedConfig]:
    """Build a tiny random model and its config, in fp32 and for inference.

    Raises:
        NotBuilt: The config or the class needs something else.
    """
    model_class = getattr(transformers, list_classes()[model_type])
    try:
        config = make_config(model_type, encoder_width)
        with torch.device("meta"):
            size = sum(p.numel() for p in model_class(config).parameters())
        if size > LARGEST:
            raise NotBuilt(f"{size / 1e6:.0f}M parameters, at most {LARGEST / 1e6:.0f}M are built")
        torch.manual_seed(0)
        model = model_class(config).float().eval().requires_grad_(False)
    except FAULTS as fault:
        raise NotBuilt(f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}") from fault
    _shake(model)
    return model, config


def make_config(model_type: str, encoder_width: int = ENCODER_WIDTH) -> PreTrainedConfig:
    """Make the tiny config of a model type."""
    # Copies: what a config is made of is changed with it.
    config = CONFIG_MAPPING[model_type](**copy.deepcopy(ARGUMENTS.get(model_type, {})))
    shrink(config, encoder_width)
    for path, value in copy.deepcopy(SETTINGS.get(model_type, {})).items():
        *parts, name = path.split(".")
        place: Any = functools.reduce(_get, parts, config)
        if isinstance(place, dict):
            place[name] = value
        else:
            set_field(place, name, value)
    return config


def _get(place: Any, name: str) -> Any:
    return place[name] if isinstance(place, dict) else getattr(place, name)


def _shake(model: nn.Module) -> None:
    """Move the weights: near zero, as fresh ones are, they hide what depends on what."""
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * SHAKE)
