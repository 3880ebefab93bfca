"""What came out for a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from families.pair import Pair


@dataclass(frozen=True)
class Outcome:
    """Whether a pair did what was asked of it, why not, and what was found out about it (as JSON has it)."""

    done: bool
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


Prove = Callable[[Pair], Outcome]
"""What the matrix asks of each pair."""


def run_only(pair: Pair) -> Outcome:
    """Ask nothing more of a pair than that it runs, as it does."""
    shapes = {name: list(value.shape) for name, value in pair.a.items() if isinstance(value, Tensor)}
    return Outcome(True, facts={"inputs": shapes, "token_id": pair.token_id})
