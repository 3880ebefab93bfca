"""Trade time for memory when not even one example fits: recompute the decoder's layers in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sea_core.errors import ModelError


@contextmanager
def activation_checkpointing(decoder: Any) -> Iterator[None]:
    """Checkpoint the decoder's layers inside the block. A step takes about 1.4 times as long.

    transformers checkpoints a layer only in training mode, and silently does nothing in evaluation mode. Here only the
    layers are put into training mode, not the modules inside them, so that no dropout becomes active.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [module for module in decoder.modules() if isinstance(module, GradientCheckpointingLayer)]
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
    """Return whether an allocation failed, on a GPU or in main memory."""
    known = ("can't allocate memory", "MPS backend out of memory")
    return isinstance(error, torch.OutOfMemoryError) or any(text in str(error) for text in known)


def out_of_memory_error(device: torch.device, message: str) -> ModelError:
    """Return the error to raise when not even one example fits; `message` is the allocator's."""
    return ModelError(
        f"not even one example fits into the memory of {device}: {message.splitlines()[0]}",
        hint="Free memory on the device, use a smaller blank (-o adapter.…), --dtype bfloat16, or another --device. "
        "`sea plan` estimates what an example takes.",
    )
