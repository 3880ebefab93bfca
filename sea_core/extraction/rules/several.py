"""The wording around several things: "List locks" becomes "List examples of this product"."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import leaked_words
from sea_core.extraction.rules.noun_heads import QUANTIFIER, head_of, split_clause, without_quantifier, words_of
from sea_core.extraction.rules.noun_phrases import (
    DEFINITE,
    OWNERS,
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
NUMBERS = r"(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)"
MANY = (
    rf"(?:(?:(?:a|{NUMBERS}) )?(?:hundred|thousand|dozen)|\d{{1,5}}|{NUMBERS})(?! (?:hundred|thousand|million|dozen)\b)"
)
NUMBER = re.compile(rf"(?P<number>{MANY} )(?:of (?=the |my |your )|(?!of\b)(?=\w))", re.IGNORECASE)
"""How many are wanted: "name FIVE locks", "FIVE of the best locks"; no part of the locks."""
TWO_NUMBERS = re.compile(rf"(?:,|\band|\bor) {MANY} \w", re.IGNORECASE)
GIVING = re.compile(rf"\b(?:give|provide|write|tell|show)(?: {SOMEONE})?(?: with)? $", re.IGNORECASE)
A_LIST_OF = re.compile(r"(?:a|the|one) (?:[\w-]+ )?list of ", re.IGNORECASE)
SET_OF = re.compile(r"(?:a|the|one) (?:[\w-]+ )?(?:set|series|selection|collection) of ", re.IGNORECASE)
TO_LIST = re.compile(r"\b(?:list|name) $", re.IGNORECASE)
BEST = r"(?:most (?:common|popular|effective|important|efficient|reliable|useful)|best|top|leading|main)"
COMPOUND = (
    r"(?:hats?|secret|shel(?:f|ves)|friends?|m[ae]n|sell(?:ers?|ing)|pictures?|western|soils?|guns?|load(?:ing|er)"
    r"|dressing|lad(?:y|ies)|edges?|actors?|coats?)"
)
"""With "top", "best" or "leading" before it, part of a name: "a TOP HAT", "BEST FRIEND gifts"."""
# What is asked of the things, and what no picture could show.
EVALUATION = re.compile(
    rf"(?:the (?:{MANY} )?{BEST} (?:{MANY} )?|top {MANY} |(?:top|best|leading) (?!{COMPOUND}\b))"
    r"(?!(?:and|or)\b)(?=\w)",
    re.IGNORECASE,
)


def split_naming(head: str, phrase: str) -> tuple[str, str]:
    """Return what stands before a product and the product: "examples of", if several things are to be named.

    Of "What are the best pans?" these are "What are the best examples of" and "pans".
    """
    listed = A_LIST_OF.match(phrase) or (SET_OF.match(phrase) if TO_LIST.search(head) else None)
    if listed:  # "What is a list of locks?"
        head, phrase = head + listed[0], phrase[listed.end() :]
    is_asked_for = NAMING.search(head) or GIVING.search(head) or IS_ASKED.search(head) or LIST_OF.search(head)
    if is_asked_for and not EVALUATION.match(phrase) and (counted := _split_number(head, phrase, "product")):
        return counted
    is_asked = IS_ASKED.search(head)
    is_bare = not head and SUPERLATIVE.match(phrase)  # "The best ovens to buy?"
    is_list = listed or LIST_OF.search(head) or is_bare
    bare = without_quantifier(phrase)
    words, clause = split_clause(words_of(bare))
    is_several = is_list or is_plural(head_of(words))
    if RECOMMENDING.search(head) and ARTICLE.match(phrase):  # "Can you recommend a tea?"
        return f"{head}an example of ", phrase
    is_naming = is_several and (is_list or is_asked or NAMING.search(head)) and not _is_definite(words)
    if not is_naming or leaked_words(phrase, "examples", "product"):
        return head, phrase
    if is_asked and not (
        QUANTIFIER.match(phrase)
        or SUPERLATIVE.match(phrase)
        or EVALUATION.match(phrase)
        or clause
        or (words[0] == "the" and "of" not in words)
    ):
        return head, phrase  # "What are skeleton keys?"
    evaluation = EVALUATION.match(phrase)
    if evaluation and not leaked_words(phrase[evaluation.end() :], evaluation[0], "product"):
        head, phrase = head + evaluation[0], phrase[evaluation.end() :]
    return f"{head}examples of ", phrase


def split_examples(head: str, phrase: str) -> tuple[str, str]:
    """Return what stands before an activity that a noun names, and the noun: "List three examples of", "pranks"."""
    if not (IS_ASKED.search(head) or NAMING.search(head) or LIST_OF.search(head)):
        return head, phrase
    if counted := _split_number(head, phrase, "activity"):
        return counted
    quantifier = QUANTIFIER.match(phrase) or SUPERLATIVE.match(phrase)
    is_several = bool(quantifier) and is_plural(head_of(split_clause(words_of(without_quantifier(phrase)))[0]))
    is_naming = is_several and not leaked_words(phrase, "examples", "activity")
    return (f"{head}examples of " if is_naming else head), phrase


def _split_number(head: str, phrase: str, kind: str) -> tuple[str, str] | None:
    """Return "List five examples of" and "locks", if so many are to be named.

    Raises:
        ExtractionFailed: so many of one kind and so many of another are to be named.
    """
    if not (number := NUMBER.match(phrase)):
        return None
    rest = phrase[number.end() :]
    if TWO_NUMBERS.search(rest):
        raise ExtractionFailed("several numbers of things are asked for", phrase)
    if not is_plural(head_of(split_clause(words_of(rest))[0])) or leaked_words(rest, "examples", kind):
        return None
    if number[0].endswith("of ") and (best := EVALUATION.match(rest)):  # "five of the best locks"
        return f"{head}{number[0]}{best[0]}examples of ", rest[best.end() :]
    return f"{head}{number['number']}examples of ", rest


def _is_definite(words: list[str]) -> bool:
    """Return whether a noun phrase means one set of things: "my neighbour's keys", "these keys"."""
    head = head_of(words)
    before = words[: words.index(head)] if head else words
    is_owned = any(word.endswith(("'s", "s'")) or word in OWNERS for word in before)
    return not words or is_owned or (words[0] in DEFINITE - {"the"})
