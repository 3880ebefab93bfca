"""The words of a noun phrase: its head, and the clause that says which things are meant."""

from __future__ import annotations

import re

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    is_base_verb,
    is_ing_form,
    word_classes,
)
from sea_core.extraction.rules.nouns import is_plural

WORD = re.compile(r"[\w$][\w.'$-]*(?<!\.)|,")
SHORT_FORM = re.compile(r" \([A-Z][\w-]*\)")
"""After a noun, what stands for it: "solid-state drives (SSD)"."""
QUANTIFIER = re.compile(
    r"(?:(?:some|any|all|a few|several|many|more|other|a list|examples|a couple)(?: of)?(?: the| your)? )+",
    re.IGNORECASE,
)
# "some of the best lamps": "best lamps" alone would lack its article.
SUPERLATIVE = re.compile(
    r"^(?:some|a few|any|several|all) of the (?=(?:most|least|best|worst|top|\w+est) )", re.IGNORECASE
)
# "tools that open doors", "tools to open doors", "tools used for doors": a clause that says which ones are meant.
RELATIVES = frozenset("that that's which who who's whose where".split())
CLAUSE_SUBJECTS = frozenset("i we they people someone one".split())
PARTICIPLES = frozenset("known found made called considered".split())
TEXTS = frozenset(
    "script letter email message post tweet article essay story poem song speech review blog sermon guide tutorial "
    "manual book video podcast lesson presentation plan pamphlet brochure comment statement joke monologue dialogue "
    "screenplay advertisement ad headline caption petition report".split()
)
"""Whatever clause follows these says what they are about: "a post about how lamps shouldn't be sold"."""
TOPICS = frozenset(
    "about on that which explaining describing detailing discussing arguing claiming saying why how".split()
)
SAYING_WHICH = frozenset(
    "involving targeting regarding concerning containing depicting featuring describing explaining glorifying mocking "
    "encouraging suggesting promoting using".split()
)
"""Participles after a noun that say which ones are meant."""


def without_quantifier(phrase: str) -> str:
    """Return a noun phrase without what says how many: "some of the best lamps" becomes "the best lamps"."""
    phrase = SUPERLATIVE.sub("the ", phrase)
    quantifier = QUANTIFIER.match(phrase)
    return phrase[quantifier.end() :] if quantifier else phrase


def split_clause(words: list[str]) -> tuple[list[str], list[str]]:
    """Split the words of a noun phrase before the clause that says which things are meant, or what a text is about."""
    end = find_topic(words) or _relative_clause(words)
    return words[:end], words[end:]


def find_topic(words: list[str]) -> int:
    """Return where the words begin that say what a text is about; 0 where the phrase names no text."""
    head = head_of(words)
    if head not in TEXTS:
        return 0
    return next((place for place in range(words.index(head) + 1, len(words)) if words[place] in TOPICS), 0)


def _relative_clause(words: list[str]) -> int:
    """Return where the first clause begins that only says which things are meant; the number of words without one."""
    for place in range(1, len(words) - 1):
        word, after = words[place], words[place + 1]
        is_subject = word in CLAUSE_SUBJECTS and (after in AUXILIARIES or is_base_verb(after))
        is_subject = is_subject or (word == "you" and (after == "ever" or _is_past(after)))
        is_reduced = word in PARTICIPLES or (word_classes(word) == {"VERB"} and not is_base_verb(word))
        is_reduced = is_reduced and not (
            word.endswith("ing") and "ADJ" in word_classes(words[place - 1])
        )  # "ethnic cleansing in"
        is_reduced = is_reduced and after in PREPOSITIONS | {"to"}
        is_purpose = word == "so" and after in (*CLAUSE_SUBJECTS, "that")  # "keys so I can open the shed"
        if word in RELATIVES or is_subject or is_reduced or is_purpose or (word == "to" and is_base_verb(after)):
            return place
    return len(words)


def words_of(phrase: str) -> list[str]:
    """Return the words and commas of a phrase, in lower case but for the country."""
    words = WORD.findall(SHORT_FORM.sub("", phrase))
    return [word.lower() if word != "US" else "USA" for word in words]


def _is_past(word: str) -> bool:
    return word_classes(word) == {"VERB"} and not is_base_verb(word) and not word.endswith(("ing", "s"))


def head_of(words: list[str]) -> str:
    """Return the head: the last word before a preposition, comma or conjunction if it can be a noun, else ""."""
    before: list[str] = []
    for word, after in zip(words, [*words, ""][1:], strict=True):
        if word == "," and after.endswith("'s"):  # "my neighbour, Jane's lamp"
            continue
        joins = word in (",", "and", "or") and before and word_classes(before[-1]) >= {"ADJ"} and after
        if joins and ("ADJ" in word_classes(after) or "-" in after):  # "good, cheap lamps"
            continue
        if word in PREPOSITIONS or word in (",", "and", "or", "such", "than"):
            break
        if before and word in SAYING_WHICH | RELATIVES:  # "pranks involving lamps"
            break
        if before and after in DETERMINERS and is_ing_form(word):  # "instructions making a lamp"
            break
        before.append(word)
    while len(before) > 1 and _is_no_noun(before[-1]) and not _is_gerund(before):
        before.pop()  # "tools available online"
    head = before[-1] if before else ""
    classes = word_classes(head.removesuffix("'s")) if head else frozenset()
    may_be_noun = not classes or "NOUN" in classes or "PROPN" in classes or _is_gerund(before)
    return head if may_be_noun and head not in FUNCTION_WORDS and not head.isdigit() else ""


def _is_no_noun(word: str) -> bool:
    classes = word_classes(word)
    is_adjective = not classes and word.endswith(("able", "ible"))  # "unreachable"
    return is_adjective or (bool(classes) and not classes & {"NOUN", "PROPN"})


def _is_gerund(words: list[str]) -> bool:
    """Return whether the last word is an -ing form that what precedes it makes a noun: "global warming"."""
    return (
        len(words) > 1 and is_ing_form(words[-1]) and not is_plural(words[-2]) and not _is_no_noun_modifier(words[-2])
    )


def _is_no_noun_modifier(word: str) -> bool:
    return word in FUNCTION_WORDS or not word_classes(word) & {"NOUN", "ADJ"}
