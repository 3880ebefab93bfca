"""How a benchmark's answers are generated: always greedily, with the checkpoint's own generation settings put aside."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.errors import SeaError


@dataclass(frozen=True)
class AnswerConfig:
    """How answers are generated. Each is settable: `-o batch_size=16`."""

    max_new_tokens: int = 300
    """How long an answer may be (paper: 300). One that is cut off is marked."""
    batch_size: int = 8
    """Cases answered at a time. It cannot change an answer: see keep_batches."""
    keep_batches: bool = False
    """Go on in batches though the probe found that a batch changes an answer. By default each case is then answered
    alone."""

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "batch_size"):
            if getattr(self, name) < 1:
                raise SeaError(
                    f"{name} is {getattr(self, name)}, but it must be above zero",
                    hint=f"Type for example: -o {name}={getattr(type(self), name)}",
                )

    def identity(self) -> dict[str, object]:
        """Return what can change an answer."""
        batches = {"keep_batches": True, "batch_size": self.batch_size} if self.keep_batches else {}
        return {"decoding": "greedy", "max_new_tokens": self.max_new_tokens, **batches}
