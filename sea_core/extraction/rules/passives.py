"""Passive questions: "How were locks picked in the film?" asks about the activity of picking locks."""

from __future__ import annotations

import re
from typing import NamedTuple

from sea_core.extraction.english import ing_form, is_base_verb, lemmas, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.nouns import is_subject
from sea_core.extraction.rules.opener import BEGINNING, Opener, without_role
from sea_core.extraction.rules.verb_phrases import third_person

DONE = re.compile(f"{BEGINNING}(?:how|why|when|where) (?P<auxiliary>is|are|was|were) ", re.IGNORECASE)
TO_BE_DONE = re.compile(f"{BEGINNING}should ", re.IGNORECASE)
STATIVE = frozenset("called known considered made based located supposed born named related given allowed".split())
"""Participles that tell of no activity of somebody, or that need more than what is done to whom."""
PLACES = frozenset("in at during under from on with for into inside near within after before across".split())
AGENT = re.compile(r"\bby (?!\w+ing\b)", re.IGNORECASE)


MAX_SUBJECT = 6


class Passive(NamedTuple):
    """The parts of "locks picked in the film", or of "locks be picked"."""

    subject: str
    be: str
    base: str
    rest: str


def match_passive(text: str) -> Opener | None:
    """Return the opener of a question about what is done to something, or None."""
    if found := TO_BE_DONE.match(text):
        head = without_role(found[0])
    elif found := DONE.match(text):  # the activity is one: "How was this activity done?"
        auxiliary = "is" if found["auxiliary"].lower() in ("is", "are") else "was"
        head = f"{without_role(text[: found.start('auxiliary')])}{auxiliary} "
    parts = _split(text[found.end() :].rstrip(" .?!")) if found else None
    if not found or not parts or bool(parts.be) != bool(TO_BE_DONE.match(text)):
        return None
    return Opener(found.end(), ("passive",), head)


def passive_sentence(phrase: str) -> tuple[str, str]:
    """Return the sentence for what is done to something, and what stands for the phrase after its placeholder.

    "locks picked in a film" becomes "a person is picking locks in a film".

    Raises:
        ExtractionFailed: somebody else than "a person" may be named.
    """
    parts = _split(phrase)
    if not parts or AGENT.search(phrase):
        raise ExtractionFailed("the passive may name somebody who acts", phrase)
    return f"a person is {ing_form(parts.base)} {third_person(parts.subject + parts.rest)}", f" {parts.be}done"


def _split(phrase: str) -> Passive | None:
    """Return the parts of a noun phrase with a participle that can be nothing else; None for any other phrase."""
    words = phrase.split()
    for end in range(1, min(len(words), MAX_SUBJECT + 1)):
        subject, rest = words[:end], words[end:]
        be = "be " if rest[0].lower() == "be" else ""
        verb, after = (rest[1] if be and len(rest) > 1 else rest[0]), rest[2 if be else 1 :]
        base = _base(verb)
        if base and is_subject(subject):
            is_closed = not after or (after[0].lower() in PLACES and len(after) > 1)
            if not is_closed or verb.lower() in STATIVE:
                return None
            return Passive(" ".join(subject), be, base, "".join(f" {word}" for word in after))
    return None


def _base(word: str) -> str:
    """Return the base form of a past participle that can be nothing else, or ""."""
    word = word.lower()
    if word_classes(word) != {"VERB"} or is_base_verb(word) or not word.endswith(("ed", "en", "n", "t", "d")):
        return ""
    return min((lemma for lemma in lemmas(word) - {word} if is_base_verb(lemma)), default="")
