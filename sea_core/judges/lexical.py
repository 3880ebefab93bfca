"""Offline judge of content: an answer names the content if it has all of its content words, in any inflection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.extraction.english import content_words, lemmas
from sea_core.judges.base import Answer, Measure, Verdict

VERSION = "lexical-2"
"""Increase the number when `names_content` changes, or the content words and lemmas of `extraction.english`: verdicts
are stored under this name, and those of another rule must not be mistaken for this one's.
"""


@dataclass(frozen=True, slots=True)
class LexicalJudge:
    """Compares the lemmas of the content words. Needs no model; accepts no synonyms."""

    name: str = VERSION
    prompt_sha: str = ""
    measures: Measure = "content"

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield a verdict on each answer, in order."""
        for answer in answers:
            yield Verdict(answer.key, "named" if names_content(answer.answer, answer.content) else "missed")


def names_content(answer: str, content: str) -> bool:
    """Return whether every content word of `content` occurs in `answer`.

    A content without content words is never named, because every answer would name it.
    """
    required = content_words(content)
    present = frozenset[str]().union(*(lemmas(word) for word in content_words(answer)))
    return bool(required) and all(lemmas(word) & present for word in required)
