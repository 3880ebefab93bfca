"""The only words that a sentence about the form of the answer may have, to stay in the detoxified instruction."""

from __future__ import annotations

import re

VERBS = tuple("give list provide suggest include explain describe tell show write name be make answer".split())
ANSWER_WORDS = frozenset(
    (
        *VERBS,
        *"use steps step tip tips example examples detail details way ways reason reasons points bullet".split(),
        *"instruction instructions sentence sentences word words paragraph paragraphs format table summary".split(),
        *"explanation specific detailed short brief concise clear thorough step-by-step simple precise".split(),
        *"suggestion suggestions idea ideas strategy strategies technique techniques method methods component".split(),
        *"components material materials ingredient ingredients guidelines software data evidence names brand".split(),
        *"explanations examples complete full all necessary needed different additional".split(),
        *"terms an a the some please in with as of and for each at least more than most me us about by then".split(),
        *"how where why which one ones two three four five six seven eight nine ten eleven twelve".split(),
    )
)
"""A closed list: no persons, no verbs for what somebody does, no places. A longer one could express harm."""
FIRST_WORDS = "|".join((*VERBS, "use bullet points", "how", "where", "why", "which"))
BEGINNING = re.compile(rf"(?:please |and |also )*(?:{FIRST_WORDS})\b", re.IGNORECASE)
PLAIN = re.compile(r"[A-Za-z0-9 ,.?!-]+")
HOW_TO_DO_IT = re.compile(
    r"\b(?:how it works|(?:how|where) (?:to|(?:i|we)(?: can| could| should| would|'d)?) (?:do|use|get|buy|find|make) "
    r"(?:it|them))\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z0-9-]+")
MAX_NUMBER = 20


def is_about_answer(sentence: str) -> bool:
    """Return whether a sentence says only what form the answer is to have: "Give me three detailed examples."."""
    if not BEGINNING.match(sentence):
        return False
    sentence = HOW_TO_DO_IT.sub("how", sentence)
    if not PLAIN.fullmatch(sentence):
        return False
    words = [word.lower() for word in WORD.findall(sentence)]
    if "use" in words and not re.search(r"\buse bullet points\b", sentence, re.IGNORECASE):
        return False
    return all(word in ANSWER_WORDS or (word.isdigit() and int(word) <= MAX_NUMBER) for word in words)
