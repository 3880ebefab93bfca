"""What a sentence after the request demands of the answer: what of it says nothing of the phrase is kept."""

from __future__ import annotations

import re
from collections.abc import Callable

from sea_core.extraction.english import content_words, word_classes
from sea_core.extraction.leak import is_same_word
from sea_core.extraction.rules.answer_words import HOW_TO_DO_IT, is_about_answer
from sea_core.extraction.rules.later_questions import neutral_question

ASKING = "(?:give|provide|include|list|suggest|show|outline|describe|explain|mention|share|tell|offer)"
BE_SURE = re.compile("(?:please )?(?:be|make) sure to ", re.IGNORECASE)
IMPERATIVE = re.compile(rf"(?:please |also |then |and )*{ASKING}\b", re.IGNORECASE)
NEXT = re.compile(rf",? (?P<link>and then|and|then) (?={ASKING}\b)", re.IGNORECASE)
"""Between two demands of a sentence: "List five AND explain how to use them"."""
WORD = re.compile(r"[\w'-]+")
DEMANDED = frozenset(
    "details detail instructions examples steps tips explanation explanations materials tools components ingredients "
    "names brands suggestions strategies ideas methods techniques reasons advice information reference references "
    "guidelines software data evidence terms example".split()
)
"""What a demand may end with, where its rest may say something of the phrase."""
CLAUSE = frozenset("what where which who that if when to i i'd it you we is are can".split())
LINKS = frozenset(
    "for on with that which to how and or about of regarding including so i i'd you where when in by as from "
    "using".split()
)
"""What may follow a demand; anything else may be a part of its last noun."""
NEGATION = re.compile(
    r"\b(?:no|not|never|neither|nor|none|without|except\w*|excluding|but|only|fewer|less|unless|instead|cannot)\b|"
    r"n't\b|\bnon-",
    re.IGNORECASE,
)
"""With these, the beginning of a demand would ask for what is not wanted: "Give me no tips on rye."."""
HOW = re.compile(r"\b(?:explain|describe|show|tell)(?: me| us)? (?:how|why)$", re.IGNORECASE)
# What may follow "how to use them" ("to win prizes"); after "make them", only another part ("cry" would be its verb).
AFTER_USE = re.compile(r"[, ]*(?:$|(?:so|and|to|for|in|at|with|on|from)\b)", re.IGNORECASE)
AFTER_MAKE = re.compile(r"[, ]*(?:$|(?:so|and)\b)", re.IGNORECASE)
MAKE_IT = re.compile(r"\b(?:make|get|find) (?:it|them)$", re.IGNORECASE)


def kept_demand(activity: str, sentence: str) -> str:
    """Return what stays of a sentence after the request; "" if nothing does.

    "Suggest five recipes." says nothing of "bake bread" and stays. Of "Give me three tips on how to knead it." the rest
    still says what is wanted: "Give me three tips.". Of a question what stays is what it asks in neutral words.

    Args:
        activity: what the request asks for: a word of it must not stay.
    """
    words = content_words(activity)

    def leaks(text: str) -> bool:
        return any(is_same_word(word, other) for word in words for other in content_words(text))

    def is_open(text: str) -> bool:
        return leaks(text) or not is_about_answer(text)

    if not is_open(sentence):
        return sentence if sentence[-1] in ".?!" else ""
    if "?" in sentence:
        question = neutral_question(sentence)
        return "" if leaks(question) else question
    demands = BE_SURE.sub("", sentence)
    return _beginnings(demands, is_open) if IMPERATIVE.match(demands) else ""


def _beginnings(sentence: str, is_open: Callable[[str], bool]) -> str:
    """Return what stays of each demand of a sentence: "List five and then explain how to use them."."""
    kept, begin, link = "", 0, ""
    for end in (*NEXT.finditer(sentence), None):
        part = sentence[begin : end.start() if end else len(sentence)].rstrip(".! ")
        if stays := _beginning(part, is_open):
            kept = f"{kept} {link} {stays}" if kept else stays
        if end:
            begin, link = end.end(), end["link"].lower()
    return f"{kept[0].upper()}{kept[1:]}." if kept else ""


def _beginning(demand: str, is_open: Callable[[str], bool]) -> str:
    """Return the beginning of a demand that says nothing, up to what is demanded.

    Words of it that may say something are omitted before a noun: "five clever tips" becomes "five tips".
    """
    if not is_open(demand):
        return demand
    if NEGATION.search(demand):
        return ""
    kept, end, omitted = "", "", ""
    found = list(WORD.finditer(demand))
    for at, word in enumerate(found):
        before = demand[found[at - 1].end() : word.start()] if at else ""
        if kept and not omitted and (clause := _how_to_do_it(demand, word.start())):
            return f"{kept}{before}{clause}"
        if word[0].lower() in CLAUSE:
            break
        longer = f"{kept}{' ' if omitted else before}{word[0]}"
        if is_open(longer):
            is_article = kept.lower().endswith((" a", " an"))
            if word[0].lower() in LINKS or is_article or ("," in before and "ADJ" not in word_classes(omitted)):
                break
            omitted = word[0].lower()
            continue
        if omitted and word[0].lower() in LINKS:
            if word[0].lower() != "and" or "ADJ" not in word_classes(omitted):
                break
            continue  # "legal AND financial terms"
        kept, omitted = longer, ""
        after = found[at + 1][0].lower() if at + 1 < len(found) else ""
        is_last = not after or after in LINKS or "," in demand[word.end() : word.end() + 1]
        if is_last and (word[0].lower() in DEMANDED or HOW.search(kept)):
            end = kept
        if word[0].lower() in ("how", "why"):  # "explain why some materials, tools and flours burn"
            break
    return end


def _how_to_do_it(demand: str, place: int) -> str:
    """Return "how to use them" at a place of a demand; "" if it goes on: "how to make them cry"."""
    clause = HOW_TO_DO_IT.match(demand, place)
    after = AFTER_MAKE if clause and MAKE_IT.search(clause[0]) else AFTER_USE
    return clause[0] if clause and after.match(demand, clause.end()) else ""
