"""Whether a phrase says enough without the sentences around it."""

from __future__ import annotations

import re

from sea_core.extraction.english import FUNCTION_WORDS, content_words, split_words, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import is_same_word
from sea_core.extraction.rules.opener import Form

DEPENDENT = "the request may depend on a sentence before it"
SO_CLAUSE = re.compile(r" so (?=\w)", re.IGNORECASE)
VAGUE = frozenset(
    "live grow do get make go have take use find put give thing things something stuff way figuring out".split()
)
POINTING = frozenset("it this that these those them".split())
REFERRING = POINTING | frozenset("they their theirs there so such one ones same".split())
THAT_CLAUSE = re.compile(r"(?<=[\w,] )(\S+) that (?=\w)", re.IGNORECASE)  # "a bomb that works", not "steal that lamp"
PERSONS = frozenset("he him his she her hers".split())
MIN_INDEPENDENT = 4
MIN_INDEPENDENT_OF_OTHERS = 3
MIN_INDEPENDENT_OF_MATTER = 2
"""Where the sentence before it names the same matter."""
STEALTH = re.compile(
    r"\bwithout (?:\w+ ){0,3}?\w+ing\b|\bsecretly\b|\billegally\b|\bwithout \w+ (?:consent|knowledge)\b", re.I
)
"""What shows that a phrase says itself why it may be wrong."""
PERSONAL_DATA = re.compile(
    r"^(?:your|(?:[A-Z][\w.'-]* )*[A-Z][\w.-]*'s?) .*\b(?:address|number|passwords?|username|login|credentials|"
    r"name|birthday|birth|"
    r"details|email|pin)\b"
)
"""Whose data somebody wants says enough, whatever story stands before it."""
INDEPENDENT = ("base", "asked", "ing", "effect", "passive", "act", "noun", "topic", "judged", "causes")
SECOND_PERSON = re.compile(r"\byou", re.IGNORECASE)
YOUR_ROLE = re.compile(r"\byou(?:'re| are| play| act)\b", re.IGNORECASE)
FIRST_PERSON = re.compile(r"\b(?:i|i'\w+|me|my|mine|we|us|our)\b", re.IGNORECASE)
PART = re.compile(
    r"\b(?:some|any|one|more|both|others)"
    r"(?: (?:across|in|on|to|from|for|at|with|into|and|of(?! the (?:most|least|best|\w+est)))\b|$)",
    re.IGNORECASE,
)
DEFINITE = re.compile(r"\bthe (\w+)")  # "the letter", after "I wrote a letter."
ANAPHORA = frozenset("it they them their theirs".split())


def check_self_contained(phrase: str, subject: str) -> None:
    """Raise ExtractionFailed for a phrase that refers to a sentence that was omitted: "their" may mean the subject."""
    words = split_words(SO_CLAUSE.sub(" ", THAT_CLAUSE.sub(r"\1 ", phrase)))
    words = [word for word, after in zip(words, [*words[1:], ""], strict=True) if (word, after) != ("one", "of")]
    if reference := next((word for at, word in enumerate(words) if _refers(word, words[1:at], subject)), None):
        raise ExtractionFailed("the phrase refers to another sentence", reference)


def check_independent(phrase: str, form: Form, context: str) -> None:
    """Raise ExtractionFailed for a short phrase, which may be harmful only after the sentence before it.

    "I run a scam. How do I write letters?": a phrase of several content words says itself what it is about. What the
    sentence says of others, and not of the user, changes less.
    """
    if form == "noun" and PERSONAL_DATA.search(phrase):
        return
    words = split_words(THAT_CLAUSE.sub(r"\1 ", phrase))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    is_of_others = form != "asked" and not FIRST_PERSON.search(context)
    is_thing_or_secret = form not in ("base", "asked") or STEALTH.search(phrase)
    needed = MIN_INDEPENDENT_OF_OTHERS if is_of_others or is_thing_or_secret else MIN_INDEPENDENT
    if is_of_others and form == "judged":
        needed = MIN_INDEPENDENT_OF_MATTER
    if any(is_same_word(word, other) for word in content for other in content_words(context)):
        needed = MIN_INDEPENDENT_OF_MATTER if is_of_others else MIN_INDEPENDENT_OF_OTHERS
    is_named = any(
        noun in content_words(context) and f"the {noun}" not in context.lower() for noun in DEFINITE.findall(phrase)
    )
    is_clear = not is_named and not PART.search(phrase) and form in INDEPENDENT and len(content) >= needed
    if (
        not is_clear
        or any(word in REFERRING | PERSONS for word in words if word != "it" or not _is_named_before(phrase))
        or SECOND_PERSON.search(YOUR_ROLE.sub("", context) if form == "asked" else context)
    ):
        raise ExtractionFailed(DEPENDENT, context)


def _is_named_before(phrase: str) -> bool:
    """Return whether "it" follows a thing of the phrase: "pick a lock and open it"."""
    before = re.split(r"\bit\b", phrase.lower())[0].split()[1:]
    return any("NOUN" in word_classes(word) and word not in FUNCTION_WORDS for word in before)


def _refers(word: str, before: list[str], subject: str) -> bool:
    """Return whether a word refers to another sentence: a pronoun does not if a noun precedes it in the phrase."""
    if word in ANAPHORA and (subject or any({"NOUN", "PROPN"} & word_classes(other) for other in before)):
        return False
    return word in REFERRING
