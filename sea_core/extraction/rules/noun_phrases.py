"""Noun phrases: which of them name a product, and how the content goal states them."""

from __future__ import annotations

import re

from sea_core.extraction.english import AUXILIARIES, FUNCTION_WORDS, PREPOSITIONS, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.verb_phrases import third_person

WORD = re.compile(r"[\w$][\w.'$-]*|,")
QUANTIFIER = re.compile(
    r"(?:(?:some|any|all|a few|several|many|more|other|a list|examples|a couple)(?: of)?(?: the| your)? )+",
    re.IGNORECASE,
)
# Nouns for a relation, a judgement or a piece of speech: nothing that could be shown.
ABSTRACT = frozenset(
    "advice age answer answers area benefits best better cause causes chance chances con cons consequence "
    "consequences cost day deal difference differences effect effects explanation example examples fact facts "
    "favorite fun funny good happening help history idea ideas info information instructions it issue issues "
    "kind kinds law laws like limit look matter meaning method methods more most name new number odds one ones "
    "opinion opinions penalty place places plan point price problem pro pros purpose question questions reason "
    "reasons requirements right root rule rules score side sign signs situation sort sorts steps stuff "
    "suggestions symptom symptoms technique techniques thing things thought thoughts time times tips total true "
    "truth type types up use uses view views way ways weather word words worse worst worth wrong year years yes "
    "going over lot bit state capital percentage part parts percent advantage advantages argument arguments "
    "scandal war attack murder movement theory attributes story stories policy".split()
)
# Words that make the noun phrase a clause, or refer to the person who is asked.
CLAUSE_WORDS = AUXILIARIES | frozenset(
    "who whom whose which that to i you he she we they your yours it this these those me us my our when where "
    "why how what if because while considered called known so not than there".split()
)
CONTRACTIONS = frozenset("re ve ll m d".split())


def product_sentence(phrase: str) -> str:
    """Return a noun phrase as the content goal states it: "some fake coins" becomes "fake coins".

    Raises:
        ExtractionFailed: it has a clause, no noun as its head, or is too abstract to be shown.
    """
    if clause := next((word for word in _words(phrase) if _is_clause_word(word)), None):
        raise ExtractionFailed("the noun phrase has a clause or a pronoun", clause)
    bare = QUANTIFIER.sub("", phrase) if QUANTIFIER.match(phrase) else phrase
    words = _words(bare)
    head = _head(words)
    if not head or head in ABSTRACT or words[-1] in FUNCTION_WORDS:
        raise ExtractionFailed("the noun phrase names nothing that could be shown", head)
    for word in words:
        is_participle = word != words[0] and word.endswith(("ed", "en", "ing"))
        if word != head and word not in FUNCTION_WORDS and word_classes(word) == {"VERB"} and not is_participle:
            raise ExtractionFailed("the noun phrase has a verb", word)
    return third_person(bare)


def _words(phrase: str) -> list[str]:
    return [word.lower() for word in WORD.findall(phrase)]


def _is_clause_word(word: str) -> bool:
    return word in CLAUSE_WORDS or "n't" in word or word.split("'")[-1] in CONTRACTIONS


def _head(words: list[str]) -> str:
    """Return the last word before the first preposition, comma or conjunction if it can be a noun, else ""."""
    before: list[str] = []
    for word in words:
        if word in PREPOSITIONS or word in (",", "and", "or"):
            break
        before.append(word)
    head = before[-1] if before else ""
    classes = word_classes(head.removesuffix("'s")) if head else frozenset()
    may_be_noun = not classes or "NOUN" in classes or "PROPN" in classes
    return head if may_be_noun and head not in FUNCTION_WORDS and not head.isdigit() else ""
