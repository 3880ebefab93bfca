"""What came out for a class and a modality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from families.pairs import Pair


@dataclass(frozen=True)
class Outcome:
    """Whether a pair did what was asked, and what was found out about it."""

    done: bool
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


Prove = Callable[[Pair], Outcome]
"""What the matrix asks of each pair."""
