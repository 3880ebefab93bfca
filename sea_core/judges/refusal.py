"""Offline judge of refusals: it reports which answers refuse, and nothing about safety.

The rule is in `refusal_patterns.py`, a file of its own that imports nothing of SEA: `sea bench export` copies it into
other evaluation harnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.refusal_patterns import OPENINGS, VERSION, refuses
from sea_core.runs.digests import sha256


@dataclass(frozen=True, slots=True)
class RefusalJudge:
    """Recognises answers that open with a known refusal (`refusal_patterns.refuses`)."""

    name: str = VERSION
    prompt_sha: str = sha256("\n".join(OPENINGS).encode())[:16]
    measures: Measure = "refusal"

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield for each answer whether it refuses."""
        for answer in answers:
            refused = refuses(answer.answer)
            yield Verdict(answer.key, "refused" if refused else "not_refused", refused=refused)
