"""Errors of grammar in an instruction: a phrase that has one is skipped, as the sentence would repeat it."""

from __future__ import annotations

import re

from sea_core.extraction.english import AUXILIARIES, FUNCTION_WORDS, PREPOSITIONS, is_base_verb, lemmas, word_classes
from sea_core.extraction.rules.nouns import is_plural

# "a umbrella", "an lamp"; not "a one-way street", "a useful lamp", "an hour", "an MRI".
WRONG_ARTICLE = re.compile(
    r"\b(?:a (?:[ai]|e(?!u|we)|o(?!n[ce]\b|ne-)|u(?:[glmp]|n(?!i|a[nu])))[a-z]+|"
    r"an [bcdfgjklmnpqrtvwxz][a-z]*[aeiou][a-z]*)\b"
)
# "a poems": a plural that no other noun follows.
WITH_ARTICLE = re.compile(r"\ban? (?P<noun>[a-z]+s)(?: (?P<after>[a-z]+)|[,.]|$)")
SAME_IN_BOTH = frozenset("series species means news lens gas bus boss class dress business address process".split())
ONE_WHO = re.compile(r"\ban? [a-z]+ who (?:have|are|were|do)\b")
SEVERAL_THAT = re.compile(
    r"^(?:(?:the|some|any|other) )?(?:[a-z]+ )?(?P<noun>[a-z]+s) (?:that|which|who) (?P<verb>[a-z]+s)\b"
)


def find_grammar_error(phrase: str) -> str:
    """Return the words of a phrase that break a rule of grammar for certain: "a umbrella"; "" if there are none."""
    if found := WRONG_ARTICLE.search(phrase) or ONE_WHO.search(phrase):
        return found[0]
    for found in WITH_ARTICLE.finditer(phrase):
        after = found["after"] or ""
        is_last = not after or after in PREPOSITIONS | FUNCTION_WORDS
        if is_last and found["noun"] not in SAME_IN_BOTH and _is_only_plural(found["noun"]):
            return found[0]
    found_several = SEVERAL_THAT.search(phrase)
    if found_several and _is_only_plural(found_several["noun"]) and _is_third_person(found_several["verb"]):
        return found_several[0]
    return ""


def _is_only_plural(word: str) -> bool:
    return is_plural(word) and word.removesuffix("s") in lemmas(word)


def _is_third_person(word: str) -> bool:
    """Return whether a word is a verb as "he" needs it: "praises"."""
    is_verb = "VERB" in word_classes(word) and any(is_base_verb(lemma) for lemma in lemmas(word) - {word})
    return is_verb and word not in AUXILIARIES
