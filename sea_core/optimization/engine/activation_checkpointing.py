"""Trade time for memory when not even one example fits: recompute the decoder's layers in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
