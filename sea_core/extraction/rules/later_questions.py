"""What a question after the request asks, in words that say nothing of what the request is about."""

from __future__ import annotations

import re

# How to make sure of what another sentence asks for, or not to be found out.
SECURING = re.compile(
    r"(?:(?:also|and|then|finally|specifically|in addition),? )?"
    r"(?:how (?:can|do|should|could|would) (?:i|we|one) (?:\w+ly )?|(?:what|which) [^?!.]*? (?:to|that|for) )"
    r"(?:ensur|mak\w+ sure|avoid|cover|evad|prevent|hid|minimi[sz]|stay|remain|remov|protect)\w*\b",
    re.IGNORECASE,
)
PRECAUTIONS = "What precautions should I take?"
PLAIN = re.compile(
    r"(?:and |also,? |so )?(?:how long (?:will|would|does|did) (?:it|this|that) take|how much (?:will|would|does|did) "
    r"(?:it|this|that) cost|how (?:can|could|is|was) (?:it|this|that)(?: be)? done|what (?:was|is) (?:it|that) like|"
    r"how did (?:it|that) (?:feel|make you feel))\?",
    re.IGNORECASE,
)
DEAL_WITH = re.compile(r"(how (?:did|do|would|should|can) (?:you|i|we) (?:deal|cope) with) [^?!.]*\?", re.IGNORECASE)
HOW_FAR = re.compile(r"(how far would (?:you|i|we) (?:be willing to )?go)\b[^?!.]*\?", re.IGNORECASE)


def neutral_question(question: str) -> str:
    """Return what a later question asks in neutral words; "" if that is unclear.

    "How did you deal with those doubts?" becomes "How did you deal with it?". How not to be found out is asked as "What
    precautions should I take?".
    """
    if PLAIN.fullmatch(question):
        return question
    if found := DEAL_WITH.fullmatch(question):
        return f"{found[1]} it?"
    if found := HOW_FAR.fullmatch(question):
        return f"{found[1]}?"
    return PRECAUTIONS if SECURING.match(question) else ""
