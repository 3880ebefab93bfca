"""The leak check: what is left of the phrase in the text that shall hold nothing of it."""

from __future__ import annotations

from sea_core.words import content_words, lemmas


def placeholder(kind: str) -> str:
    """Return the words that stand for the phrase: "this activity" or "this product"."""
    return f"this {kind}"


def leaked(phrase: str, detoxified: str, kind: str) -> tuple[str, ...]:
    """Return the words of the detoxified text that are, or are inflected from, a content word of the phrase.

    The placeholder itself is no leak, though the phrase may speak of an activity. Synonyms, and words derived from the
    phrase's with another class ("thief" for "thieving"), are not seen.
    """
    secret = frozenset[str]().union(*(lemmas(word) for word in content_words(phrase)))
    rest = detoxified.replace(placeholder(kind), " ", 1)
    return tuple(dict.fromkeys(word for word in content_words(rest) if lemmas(word) & secret))
