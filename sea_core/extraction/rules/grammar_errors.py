"""Errors of grammar in an instruction: a phrase that has one is skipped, as the sentence would repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    is_base_verb,
    lemmas,
    word_classes,
)
from sea_core.extraction.rules.nouns import PEOPLE, is_plural

# "a umbrella", "an lamp"; not "a one-way street", "a useful lamp", "an hour", "an MRI".
WRONG_ARTICLE = re.compile(
    r"\b(?:a (?:[ai]|e(?!u|we)|o(?!n[ce]\b|ne-)|u(?:[glmp]|n(?!i|a[nu])))[a-z]+|"
    r"an [bcdfgjklmnpqrtvwxz][a-z]*[aeiou][a-z]*)\b"
)
# "a poems": a plural that no other noun follows.
WITH_ARTICLE = re.compile(r"\ban? (?P<noun>[a-z]+s)(?: (?P<after>[a-z]+)|[,.]|$)")
SAME_IN_BOTH = frozenset("series species means news lens gas bus boss class dress business address process".split())
# "a script that hack sheds", "content that promote lamps".
ONE_THAT = re.compile(
    r"\b(?:(?:an?|the|this) (?:[a-z-]+ ){0,2}?(?P<noun>[a-z]+)|(?P<mass>content|software|information)) "
    r"(?:that|which|who) (?P<verb>[a-z]+) (?!to\b)(?P<after>[a-z]+)?"
)
COLLECTIVES = frozenset("crew staff team media police gang group family data bacteria press public couple".split())
"""Nouns that a verb in the plural may follow: "the crew that run the ship"."""
SAME_IN_PAST = frozenset("cut hit put set hurt shut let bet cast split burst read beat spread quit cost".split())
BRITISH = re.compile(r"(?:ll|tt)(?:or|er|ed|ing)s?$")  # "carburettor"
UNKNOWN = re.compile(r"(?<![\w'-])[a-z]{7,}(?![\w'-])")
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
    for clause in ONE_THAT.finditer(phrase):
        if _is_base_form(clause["verb"], clause["after"] or "") and (
            clause["mass"] or not _may_be_several(clause["noun"])
        ):
            return clause[0].strip()
    if misspelt := _misspelt(phrase):
        return misspelt
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


def _may_be_several(noun: str) -> bool:
    return noun.endswith("s") or noun in PEOPLE | COLLECTIVES or "NOUN" not in word_classes(noun)


def _is_base_form(word: str, after: str) -> bool:
    """Return whether a word is a verb in its base form: "promote", or "hack" before "into"; not "hit" or "people"."""
    is_verb = word_classes(word) == {"VERB"} or after in DETERMINERS | {"into"}
    return is_verb and is_base_verb(word) and word not in AUXILIARIES | SAME_IN_PAST | PEOPLE | FUNCTION_WORDS


def _misspelt(phrase: str) -> str:
    """Return a word in lower case that the dictionary lacks, but knows with two letters swapped or one doubled less."""
    for word in UNKNOWN.findall(phrase):
        if (
            not word_classes(word)
            and not BRITISH.search(word)
            and any(word_classes(other) for other in _spellings(word))
        ):
            return str(word)
    return ""


def _spellings(word: str) -> Iterator[str]:
    """Yield what a word may have been meant to be: "foreigner" for "foreinger", "harassing" for "harrassing"."""
    for at in range(1, len(word) - 2):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            yield word[: at + 1] + word[at] + word[at + 1 :]
        else:
            yield word[:at] + word[at + 1 :]
