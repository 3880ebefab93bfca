"""The wording around several things: "List locks" becomes "List examples of this product"."""

from __future__ import annotations

import re

from sea_core.extraction.leak import leaked_words
from sea_core.extraction.rules.noun_phrases import (
    DEFINITE,
    OWNERS,
    QUANTIFIER,
    head_of,
    split_clause,
    without_quantifier,
    words_of,
)
from sea_core.extraction.rules.nouns import is_plural
from sea_core.extraction.rules.vocabulary import SOMEONE

# With these, "this product" would be one thing: "What is this product?" asks what it is.
IS_ASKED = re.compile(r"\b(?:what|which)(?: exactly)? (?:are|were|would be|might be|could be) $", re.IGNORECASE)
NAMING = re.compile(
    rf"\b(?:list|name|recommend|suggest|teach|tell|share)(?: {SOMEONE})?(?: with)?(?:,? in (?:\w+ )?detail,?)? $",
    re.IGNORECASE,
)
RECOMMENDING = re.compile(rf"\b(?:recommend|suggest)(?: {SOMEONE})? $", re.IGNORECASE)
ARTICLE = re.compile(r"an? ", re.IGNORECASE)
LIST_OF = re.compile(r"\blists? of $", re.IGNORECASE)
SUPERLATIVE = re.compile(r"(?:the )?(?:most|least|best|worst|top|leading|main|\w+est)\b", re.IGNORECASE)
# What is asked of the things, and what no picture could show.
NUMBER = re.compile(
    r"(?P<number>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty) (?=\w)", re.IGNORECASE
)
"""How many are wanted: "name FIVE locks"; no part of the locks."""
GIVING = re.compile(rf"\b(?:give|provide|write|tell|show)(?: {SOMEONE})?(?: with)? $", re.IGNORECASE)
A_LIST_OF = re.compile(r"(?:a|the|one) (?:[\w-]+ )?list of ", re.IGNORECASE)
EVALUATION = re.compile(
    r"the (?:most (?:common|popular|effective|important|efficient|reliable|useful)|best|top|leading|main) "
    r"(?!(?:and|or)\b)(?=\w)",
    re.IGNORECASE,
)


def split_naming(head: str, phrase: str) -> tuple[str, str]:
    """Return what stands before a product and the product: "examples of", if several things are to be named.

    Of "What are the best pans?" these are "What are the best examples of" and "pans".
    """
    if listed := A_LIST_OF.match(phrase):  # "What is a list of locks?"
        head, phrase = head + listed[0], phrase[listed.end() :]
    if (number := NUMBER.match(phrase)) and (NAMING.search(head) or GIVING.search(head)):
        rest = phrase[number.end() :]
        if is_plural(head_of(split_clause(words_of(rest))[0])) and not leaked_words(rest, "examples", "product"):
            return f"{head}{number[0]}examples of ", rest
    is_list, is_asked = LIST_OF.search(head), IS_ASKED.search(head)
    bare = without_quantifier(phrase)
    words, clause = split_clause(words_of(bare))
    is_several = is_list or is_plural(head_of(words))
    if RECOMMENDING.search(head) and ARTICLE.match(phrase):  # "Can you recommend a tea?"
        return f"{head}an example of ", phrase
    is_naming = is_several and (is_list or is_asked or NAMING.search(head)) and not _is_definite(words)
    if not is_naming or leaked_words(phrase, "examples", "product"):
        return head, phrase
    if is_asked and not (
        QUANTIFIER.match(phrase) or SUPERLATIVE.match(phrase) or clause or (words[0] == "the" and "of" not in words)
    ):
        return head, phrase  # "What are skeleton keys?"
    evaluation = EVALUATION.match(phrase)
    if evaluation and not leaked_words(phrase[evaluation.end() :], evaluation[0], "product"):
        head, phrase = head + evaluation[0], phrase[evaluation.end() :]
    return f"{head}examples of ", phrase


def examples_of(head: str, phrase: str) -> str:
    """Return what stands before an activity that a noun names: "What are examples of", if several are to be named."""
    quantifier = QUANTIFIER.match(phrase) or SUPERLATIVE.match(phrase)
    is_several = bool(quantifier) and is_plural(head_of(split_clause(words_of(without_quantifier(phrase)))[0]))
    is_naming = IS_ASKED.search(head) or NAMING.search(head) or LIST_OF.search(head)
    return (
        f"{head}examples of " if is_several and is_naming and not leaked_words(phrase, "examples", "activity") else head
    )


def _is_definite(words: list[str]) -> bool:
    """Return whether a noun phrase means one set of things: "my neighbour's keys", "these keys"."""
    head = head_of(words)
    before = words[: words.index(head)] if head else words
    is_owned = any(word.endswith(("'s", "s'")) or word in OWNERS for word in before)
    return not words or is_owned or (words[0] in DEFINITE - {"the"})
