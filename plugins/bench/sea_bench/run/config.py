"""How a benchmark's answers are generated: always greedily, ignoring the checkpoint's own generation settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt
from pydantic import JsonValue

from sea_core.config import Config


@dataclass(frozen=True)
class AnswerConfig(Config):
    """Settings of the generation of answers."""

    max_new_tokens: Annotated[int, Gt(0)] = 300
    """Maximum length of an answer (paper: 300). Truncated answers are marked."""
    batch_size: Annotated[int, Gt(0)] = 8
    """Cases answered at a time. It cannot change an answer; see keep_batches."""
    keep_batches: bool = False
    """Answer in batches even if the preflight found that batching changes an answer. By default each case is then
    answered alone."""

    comprehension: bool = True
    """Ask also what each medium shows, where the benchmark has key phrases: one short answer more. The report then
    gives its metrics among the media that the model understands, too. It changes no other answer."""

    def identity(self) -> dict[str, JsonValue]:
        """Return the settings that can change an answer."""
        batches: dict[str, JsonValue] = {}
        if self.keep_batches:
            batches = {"keep_batches": True, "batch_size": self.batch_size}
        return {"decoding": "greedy", "max_new_tokens": self.max_new_tokens, **batches}
