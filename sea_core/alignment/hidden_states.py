"""Let a trainer read the hidden states of a model whose outermost class merges the media."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from sea_core.model import seam
from sea_core.model.mllm import MLLM


@contextmanager
def with_hidden_states(mllm: MLLM) -> Iterator[None]:
    """Give the outputs of a model without a base model `last_hidden_state` inside the block: what its head was given.

    TRL runs a model's base model, and computes the logits of the answers itself. Where a class has none, transformers'
    `base_model` is the model itself, whose outputs are logits.
    """
    if mllm.model.base_model is not mllm.model:
        yield
        return
    hidden: list[Tensor] = []

    def keep(given: Any) -> None:
        args, kwargs = given
        hidden[:] = [args[0] if args else next(iter(kwargs.values()))]

    def attach(output: Any) -> None:
        if hidden and getattr(output, "last_hidden_state", None) is None:
            output.last_hidden_state = hidden.pop()

    with (
        seam.watched(mllm.model.get_output_embeddings(), "input", keep),
        seam.watched(mllm.model, "output", attach),
    ):
        yield
