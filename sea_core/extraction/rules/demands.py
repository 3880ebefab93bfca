"""What a sentence after the request demands of the answer: what of it says nothing of the phrase is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from sea_core.extraction.english import content_words
from sea_core.extraction.leak import is_same_word
from sea_core.extraction.rules.answer_words import is_about_answer

IMPERATIVE = re.compile(
    r"(?:please |also |then |and )*"
    r"(?:give|provide|include|list|suggest|show|outline|describe|mention|share|tell|offer)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[\w'-]+")
DEMANDED = frozenset(
    "details detail instructions examples steps tips explanations materials tools components ingredients names brands "
    "suggestions strategies ideas methods techniques reasons advice information reference references".split()
)
"""What a demand may end with, where its rest may say something of the phrase."""
CLAUSE = frozenset("what how where which who why that if when to i it you we is are can".split())
LINKS = frozenset(
    "for on with that which to how and or about of regarding including so i where when in by as from".split()
)
"""What may follow a demand; anything else may be a part of its last noun."""


def kept_demand(activity: str, sentence: str) -> str:
    """Return what stays of a sentence after the request; "" if nothing does.

    "Suggest five recipes." says nothing of "bake bread" and stays. Of "Give me three tips on how to knead it." the rest
    still says what is wanted: "Give me three tips.".

    Args:
        activity: what the request asks for: a word of it must not stay.
    """
    words = content_words(activity)

    def is_open(text: str) -> bool:
        leaks = any(is_same_word(word, other) for word in words for other in content_words(text))
        return leaks or not is_about_answer(text)

    if not is_open(sentence):
        return sentence if sentence[-1] in ".?!" else ""
    return "" if "?" in sentence or not IMPERATIVE.match(sentence) else _beginning(sentence, is_open)


def _beginning(sentence: str, is_open: Callable[[str], bool]) -> str:
    """Return the beginning of a demand that says nothing, up to what is demanded."""
    end = 0
    found = list(WORD.finditer(sentence))
    for word, after in pairwise(found):
        if is_open(sentence[: word.end()]) or word[0].lower() in CLAUSE:
            break
        is_last = after[0].lower() in LINKS or "," in sentence[word.end() : after.start()]
        if word[0].lower() in DEMANDED and is_last:
            end = word.end()
    return f"{sentence[:end]}." if end else ""
