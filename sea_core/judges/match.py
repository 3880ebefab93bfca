"""The offline judge of VSR: an answer names the content when it has every content word of it, however inflected."""

from __future__ import annotations

from sea_core.words import content_words, lemmas


def names(answer: str, content: str) -> bool:
    """Tell whether every content word of `content` stands in `answer`.

    A content with no content word is never named: an empty demand would be met by any answer.
    """
    wanted = content_words(content)
    said = frozenset[str]().union(*(lemmas(word) for word in content_words(answer)))
    return bool(wanted) and all(lemmas(word) & said for word in wanted)
