"""The offline judge of VSR: an answer names the content when it has every content word of it, however inflected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.extraction.english import content_words, lemmas
from sea_core.judges.content import Asked, Judged

VERSION = "match-1"
"""Raise the number when `names` changes, or what it takes from words.py: which words carry content, and their lemmas.
Verdicts are kept under this name, and those of another rule are not taken for this one's.
"""


@dataclass(frozen=True, slots=True)
class LexicalJudge:
    """Compares the lemmas of the content words. Needs no model, and takes no synonym."""

    name: str = VERSION

    def judge(self, asked: Sequence[Asked]) -> Iterator[Judged]:
        """Yield a verdict for each answer, in their order."""
        for index, one in enumerate(asked):
            yield Judged(index, "named" if names_content(one.answer, one.content) else "missed")


def names_content(answer: str, content: str) -> bool:
    """Tell whether every content word of `content` stands in `answer`.

    A content with no content word is never named: an empty demand would be met by any answer.
    """
    wanted = content_words(content)
    said = frozenset[str]().union(*(lemmas(word) for word in content_words(answer)))
    return bool(wanted) and all(lemmas(word) & said for word in wanted)
