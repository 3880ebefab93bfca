"""Verb phrases in the past: "(have you ever) stolen a lamp" becomes "a person is stealing a lamp"."""

from __future__ import annotations

import re
from itertools import pairwise

from sea_core.extraction.english import is_base_verb, lemmas
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.tokens import TOKEN, is_past
from sea_core.extraction.rules.verb_phrases import NO_VERB, activity_sentence

PASSIVE = "the phrase says what is done to somebody"
UNCHANGED = frozenset("spread cut hit put set hurt shut let bet cast split burst read beat".split())
"""Verbs whose past is as their base form."""
PAST_OR_BASE = frozenset("found saw felt fell lay ground wound bound".split())
"""Base forms that are also the past of another verb: "if you found a lamp"."""


def past_activity_sentence(phrase: str) -> str:
    """Return the sentence for a verb phrase with a participle: "stolen a lamp" becomes "a person is stealing a lamp".

    Raises:
        ExtractionFailed: the phrase does not begin with a participle, or see `activity_sentence`.
    """
    first, _, rest = phrase.partition(" ")
    if first == "been":  # "(have you ever) been fined": somebody else does it
        raise ExtractionFailed(PASSIVE, phrase)
    base = _base_of_past(first)
    joined = re.match(r"(or|and) (\w+)(?= )", rest)  # "sold or bought weapons"
    if joined and (second := _base_of_past(joined[2])):
        rest = f"{joined[1]} {second}{rest[joined.end() :]}"
        phrase = f"{first} {rest}"
    for before, second in re.findall(r"(\w+),? (?:and|or) (\w+)", phrase):
        if is_past(second) and (before == first or not is_past(before)):  # not "get somebody fired or demoted"
            raise ExtractionFailed("a second verb in the past follows", second)
    if not base or not first.lower().endswith(("ed", "en", "n", "t", "d", "ne", "ot", "le", "ke", "ew")):
        raise ExtractionFailed(NO_VERB, first)
    return activity_sentence(f"{base} {rest}".strip())


def _base_of_past(word: str) -> str:
    word = word.lower()
    if word in UNCHANGED:
        return word
    return min((lemma for lemma in lemmas(word) if lemma != word and is_base_verb(lemma)), default="")


def check_condition(phrase: str) -> None:
    """Raise ExtractionFailed for a condition whose verb is, or may be, in the past: "(if I) found a car"."""
    words = TOKEN.findall(phrase)[::2]
    if words[0].lower() in PAST_OR_BASE:
        raise ExtractionFailed(NO_VERB, words[0])
    if second := next((word for before, word in pairwise(words) if before == "and" and is_past(word.lower())), None):
        raise ExtractionFailed("a second verb in the past follows", second)
