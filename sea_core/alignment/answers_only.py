"""Let TRL compute the logits of the answers alone on a CPU too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trl.trainer import utils

SWITCH = "_use_triton"
"""What TRL asks whether to leave out the other positions; absent in versions that do not ask."""


@contextmanager
def answers_only() -> Iterator[None]:
    """Leave out the logits of prompts and padding, which no loss uses, inside the block.

    TRL does so on a GPU. Elsewhere it computes all of them, with their entropies, for the sake of compilers that want
    equal shapes: a quarter of a training step of a small model on a CPU. The losses are the same up to rounding.
    """
    original: Any = getattr(utils, SWITCH, None)
    if original is None:
        yield
        return
    setattr(utils, SWITCH, lambda device: device.type == "cpu" or original(device))
    try:
        yield
    finally:
        setattr(utils, SWITCH, original)
