"""The settings of an optimisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sea_core.config import COUNT_OR_AUTO, NUMBER_OR_AUTO
from sea_core.errors import SeaError

Auto = Literal["auto"]


@dataclass(frozen=True)
class OptimizeConfig:
    """Every number of an optimisation. Each is settable: `-o lr=0.2`."""

    lr: float | Auto = field(default=0.1, metadata=NUMBER_OR_AUTO)
    """Adam's step size, as a multiple of the blank embedding's root mean square. `auto`: the best of a small grid."""
    steps: int = 300
    """Updates for one row at most; a row that is not there by then has failed."""
    loss: float = 0.01
    """A row is done only when the mean loss is below this: the first exact answer comes too early to generalise."""
    margin: float | Auto = field(default="auto", metadata=NUMBER_OR_AUTO)
    """A row is done only when each target token beats every other by this many logits. `auto`: as much as rounding on
    this model and device cannot undo, and at least 0.5."""
    batch_size: int | Auto = field(default="auto", metadata=COUNT_OR_AUTO)
    """Rows optimised at a time. The result of a row does not depend on it. `auto`: as many as memory holds."""
    packed: bool = True
    """Compute the media once for all goals of a row, where the family allows it."""
    compile: bool = False
    """Compile the decoder with torch.compile: a minute or more at the start, then faster steps."""
    beta1: float = 0.9
    """Adam's memory of the gradient."""
    beta2: float = 0.999
    """Adam's memory of its square."""
    seed: int = 0
    """Draws the style of each row, by the row's id, and all that a recipe leaves to chance."""
    draws: int = 1
    """Embeddings for each row and recipe, each with another style."""
    benign_examples: Literal["embed", "text"] = "embed"
    """Benign rows get an embedding of their own activity (`embed`), or stay text rows as in the paper (`text`)."""

    def __post_init__(self) -> None:
        for name in ("lr", "steps", "loss", "batch_size", "draws"):
            self._require(name, lambda value: value > 0, "be above zero")
        self._require("lr", lambda value: value <= 100, "be at most 100 times the blank's size")
        self._require("margin", lambda value: value >= 0, "not be negative")
        for name in ("beta1", "beta2"):
            self._require(name, lambda value: 0 <= value < 1, "be at least 0 and below 1")
        self._require("benign_examples", lambda value: value in ("embed", "text"), "be embed or text")

    def _require(self, name: str, good: Any, what: str) -> None:
        value = getattr(self, name)
        if value != "auto" and not good(value):
            default = getattr(type(self), name)
            raise SeaError(f"{name} is {value}, but it must {what}", hint=f"Type for example: -o {name}={default}")
