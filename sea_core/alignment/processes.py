"""The processes of a training job: one, unless `torchrun` or `accelerate launch` started several."""

from __future__ import annotations

from typing import Any

from torch import nn

from sea_core.model.mllm import MLLM
from sea_core.model.placement import resolve_device


def count_processes() -> int:
    """Return how many processes train."""
    from accelerate import PartialState

    return int(PartialState(cpu=_has_no_gpu()).num_processes)


def is_first_process() -> bool:
    """Return whether this process alone writes files, asks questions and reports."""
    from accelerate import PartialState

    return bool(PartialState(cpu=_has_no_gpu()).is_main_process)


def wait_for_all() -> None:
    """Wait until all processes of the job have called this."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def name_layers(mllm: MLLM) -> None:
    """Set the classes of layers that a sharded model is cut into: of those that its class names, those that are in it.

    The class of a multimodal model also names layers of encoders that it may have, and FSDP stops if one is missing.
    """
    model = mllm.model
    decoder = mllm.adapter.language_model(model)
    layers = [type(layer).__name__ for m in decoder.children() if isinstance(m, nn.ModuleList) for layer in m]
    present = {type(module).__name__ for module in model.modules()}
    model._no_split_modules = sorted({*layers, *present.intersection(model._no_split_modules or ())})


def is_sharded(trainer: Any) -> bool:
    """Return whether the weights are spread over the processes, so that no process alone can run the model."""
    return bool(trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled)


def _has_no_gpu() -> bool:
    return resolve_device("auto").type == "cpu"
