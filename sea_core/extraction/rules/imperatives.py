"""Bare imperatives: "Steal a lamp from the shop" asks for the activity itself."""

from __future__ import annotations

import re

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    is_base_verb,
    word_classes,
)
from sea_core.extraction.rules.nouns import PEOPLE
from sea_core.extraction.rules.opener import Opener, without_role
from sea_core.extraction.rules.tokens import skip_adverbs
from sea_core.extraction.rules.verb_phrases import ADDRESSED
from sea_core.extraction.rules.vocabulary import GREETING, ROLE, SOFT

START = re.compile(f"{GREETING}(?:{ROLE})?{SOFT}", re.IGNORECASE)
TOKEN = re.compile(r"[\w'-]+")
# Verbs that are far more often verbs than nouns at the beginning of a sentence.
MAKING = frozenset(
    "write create develop design generate draft compose produce make build construct invent devise formulate plan "
    "publish post send spread edit film record code program fabricate forge fake hack steal exploit convince persuade "
    "argue manipulate insult mock bully harass threaten encourage incite promote sell buy smuggle kidnap kill attack "
    "slander defame use implement prepare simulate impersonate craft add brainstorm come".split()
)
# At the beginning of a sentence these tell the assistant what to do, or say nothing about a world outside.
NO_ACTIVITIES = frozenset(
    "click submit observe man like need want have do get keep try stop go wait start begin continue look see "
    "play be let shut call research investigate explore examine evaluate assess determine estimate debate study review "
    "analyze analyse".split()
)
WANTED = re.compile(r"(\w+ (?:(?:me|us) |(?=.* for (?:me|us)[\s.!]*$)))", re.IGNORECASE)
ASIDE = 5
"""After so many words, "your" belongs to what is to be made."""
SECOND_PERSON = re.compile(r"\byou(?:r|rs|rself|'\w+)?\b", re.IGNORECASE)


def match_imperative(text: str) -> Opener | None:
    """Return the opener of a sentence that begins with a verb in its base form, or None.

    "Tell me a joke" asks for information, and "Mail is slow" states something: neither is an activity.
    """
    start = START.match(text)
    begin = start.end() if start else 0
    words = [word.lower() for word in TOKEN.findall(text[begin:])]
    verb = skip_adverbs(words) if words else 0
    if (
        "?" in text
        or not words
        or _speaks_to_assistant(text[begin:], words[verb:])
        or not set(words[verb + 1 :]) - FUNCTION_WORDS
    ):
        return None
    if words[0] in MAKING and (wanted := WANTED.match(text, begin)):  # "Write me a poem", "Write a poem for me"
        return Opener(wanted.end(1), ("noun",), without_role(text[: wanted.end(1)]))
    return Opener(begin, ("asked",), without_role(text[:begin])) if _is_imperative(words[verb:]) else None


def _speaks_to_assistant(text: str, words: list[str]) -> bool:
    """Return whether "you" is the assistant: in a text that is to be made, "your" is somebody else's."""
    if not (found := SECOND_PERSON.search(text)):
        return False
    is_in_text = words[0] in MAKING and found[0].lower() == "your"
    return not is_in_text or len(text[: found.start()].split()) < ASIDE


def _is_imperative(words: list[str]) -> bool:
    verb, after = words[:2]
    if not is_base_verb(verb) or verb in ADDRESSED | NO_ACTIVITIES | FUNCTION_WORDS | PEOPLE or after in AUXILIARIES:
        return False
    if verb in MAKING or not word_classes(verb) - {"VERB"}:
        return True
    if after in DETERMINERS | PREPOSITIONS | {"them", "him", "her", "it"} or after.isdigit():
        return True
    if "ADJ" in word_classes(verb):  # "light blue lamps"
        return False
    return _is_object(words[1:]) and not any(_is_finite(word) for word in words[1:])


def _is_object(words: list[str]) -> bool:
    """Return whether words begin as an object does after a verb, and nothing does after a noun: "private mail"."""
    classes = word_classes(words[0])
    return ("ADJ" in classes and "VERB" not in classes and len(words) > 1) or words[0].endswith(("'s", "s'"))


def _is_finite(word: str) -> bool:
    """Return whether a word may be the verb of a statement: "Access private mail IS bad"."""
    return word in AUXILIARIES or (word_classes(word) == {"VERB"} and not word.endswith("ing"))
