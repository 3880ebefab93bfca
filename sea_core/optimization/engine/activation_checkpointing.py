"""Trade time for memory: a decoder that computes its layers again on the way back, for when not even one row fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sea_core.errors import ModelError


@contextmanager
def activation_checkpointing(decoder: Any) -> Iterator[None]:
    """Checkpoint the decoder's layers inside the block, about 1.4 times the time of a step.

    The library checkpoints a layer only in training mode, and does nothing without a word in evaluation mode. Here the
    layers alone are told that they train, not what lies in them, so that no dropout wakes up.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [m for m in decoder.modules() if isinstance(m, GradientCheckpointingLayer)]
    decoder.activation_checkpointing_enable({"use_reentrant": False})
    for layer in layers:
        layer.training = True
    try:
        yield
    finally:
        decoder.activation_checkpointing_disable()
        for layer in layers:
            layer.training = False


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell an allocation that failed, on a GPU or in main memory, from other errors."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def out_of_memory_error(device: torch.device, full: str) -> ModelError:
    """Return the error for when not even one row fits; `full` is what the allocator said."""
    return ModelError(
        f"not even one row fits into the memory of {device}: {full.splitlines()[0]}",
        hint="Free memory on the device, give a smaller blank (-o adapter.…), --dtype bfloat16, or another --device. "
        "`sea plan` says what a row takes.",
    )
