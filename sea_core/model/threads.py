"""How many threads a model runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

SMALL_MODEL = 20_000_000
"""Models with fewer weights run on one thread: on more they take thirty times as long."""


def count_weights(model: nn.Module) -> int:
    """Return the number of a model's weights."""
    return sum(parameter.numel() for parameter in model.parameters())


@contextmanager
def fit_threads(model: nn.Module) -> Iterator[None]:
    """Run a small model on one thread inside the block."""
    threads = torch.get_num_threads()
    if count_weights(model) < SMALL_MODEL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
