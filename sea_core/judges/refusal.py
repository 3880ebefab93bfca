"""The offline judge of a benchmark run: it says which answers refuse, and nothing of safety.

The rule has a file of its own, refusal.py, since `sea bench export` copies that file into other harnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.judges.refusal_patterns import OPENINGS, VERSION, refuses
from sea_core.judges.safety import Answered, Rating
from sea_core.runs.atomic import sha256


@dataclass(frozen=True, slots=True)
class RefusalJudge:
    """Looks for known openings of refusals (see refusal.py)."""

    name: str = VERSION
    prompt_sha: str = sha256("\n".join(OPENINGS).encode())[:16]

    def rate(self, answers: Sequence[Answered]) -> Iterator[Rating]:
        """Yield whether each answer refuses."""
        for one in answers:
            refused = refuses(one.answer)
            yield Rating(one.key, "refused" if refused else "not_refused", refused)
