"""Offline judge of refusals: it reports which answers refuse, and nothing about safety.

The rule is in `refusal_patterns.py`, `languages/` and `llm/reasoning.py`, which import nothing else of SEA: `sea bench
export` copies them into other evaluation harnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.refusal_patterns import VERSION, read_languages, refuses
from sea_core.runs.digests import sha256

UNREAD = "it is in no language whose refusals are read"


@dataclass(frozen=True, slots=True)
class RefusalJudge:
    """Recognises answers that open with a known refusal, in several languages (`refusal_patterns.refuses`)."""

    name: str = VERSION
    prompt_sha: str = field(default_factory=lambda: sha256(repr(read_languages()).encode())[:16])
    measures: Measure = "refusal"

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield for each answer whether it refuses; `unread` for an answer in a language that is not read."""
        for answer in answers:
            yield _verdict(answer.key, refuses(answer.answer))


def _verdict(key: str, refused: bool | None) -> Verdict:
    if refused is None:
        return Verdict(key, "unread", detail=UNREAD)
    return Verdict(key, "refused" if refused else "not_refused", refused=refused)
