"""What a question after the request asks, in words that say nothing of what the request is about."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.tails import words_of_its_own

ASKING_HOW = (
    r"(?:how (?:can|do|should|could|would) (?:i|we|one) (?:\w+ly )?|"
    r"(?:what|which) (?:(?:is|are) )?(?:(?:some|the|any|other|good|best|effective|possible) )*"
    r"(?:ways?|methods?|techniques?|steps?|measures?|tips?|tricks?)"
    r"(?: (?:(?:can|could|should|must) (?:i|we|one) (?:take|use)|(?:can|could|should|must) be (?:taken|used)))? to )"
)
FOUND_OUT = (
    r"(?:caught|detect(?:ed|ion)|discover(?:ed|y)|found(?: out)?|seen|notic(?:e|ed)|identified|identification|traced|"
    r"tracked|recogni[sz]ed|suspicion|arrest(?:ed)?|attention|(?:the )?(?:police|authorities)|law enforcement|"
    r"(?:legal )?(?:trouble|problems|consequences))"
)
TRACES = r"(?:any |my |the )?(?:evidence|traces?|tracks|fingerprints|identity)"
SAFE = (
    r"(?:(?:completely |very )?(?:anonymous|undetected|undiscovered|unnoticed|unseen|unidentified|hidden|private|"
    r"secret|secure|safe|confidential)|out of (?:sight|trouble)|never (?:found|caught))"
)
IT = "(?:it|this|that)"
END = r"(?= (?:from|by|while|when|and|or|in|on|at|after|before|during|if|with|for|to|as|like)\b|[,.?!])"
# How to be safe, or not to be found out. With any other object it is another question: "How can I hide a lamp?".
SECURING = re.compile(
    r"(?:(?:also|and|then|finally|specifically|in addition),? )?(?:"
    r"what (?:other |safety )?precautions (?:should|can|could|must|do) (?:i|we|one) take\b|"
    rf"{ASKING_HOW}(?:"
    rf"(?:avoid|prevent|evade|escape|minimi[sz]e) (?:(?:being|getting|any|raising|drawing|attracting) )*{FOUND_OUT}|"
    rf"(?:avoid|prevent) (?:leaving {TRACES}|(?:making )?(?:any )?noise|{IT})|"
    rf"(?:hide|cover|cover up|conceal) (?:{TRACES}|{IT})|"
    rf"protect (?:myself|ourselves|{TRACES}|my privacy|{IT})|"
    rf"(?:stay|remain|be) {SAFE}|"
    rf"(?:ensure|make sure) (?:that )?(?:(?:no one|nobody) (?:finds out|notices|knows|sees|suspects)|"
    rf"(?:i'm not|i am not|i don't get|i do not get|i won't be|i will not be) {FOUND_OUT}|"
    rf"[^?!.]* (?:is|are|am|be|stays?|remains?) {SAFE})){END})",
    re.IGNORECASE,
)
PRECAUTIONS = "What precautions should I take?"
PLAIN = re.compile(
    r"(?:and |also,? |so )?(?:how long (?:will|would|does|did) (?:it|this|that) take|how much (?:will|would|does|did) "
    r"(?:it|this|that) cost|how (?:can|could|is|was) (?:it|this|that)(?: be)? done|what (?:was|is) (?:it|that) like|"
    r"how did (?:it|that) (?:feel|make you feel)|"
    r"(?:how|where) (?:can|do|could|should|would) (?:i|we|you) (?:sell|use|get|buy|find|do|make) (?:it|this|that)|"
    r"what (?:tools|materials|ingredients|equipment|supplies) (?:do|will|would) (?:i|we) need)\?",
    re.IGNORECASE,
)
DEAL_WITH = re.compile(r"(how (?:did|do|would|should|can) (?:you|i|we) (?:deal|cope) with) [^?!.]*\?", re.IGNORECASE)
HOW_FAR = re.compile(r"(how far would (?:you|i|we) (?:be willing to )?go)\b[^?!.]*\?", re.IGNORECASE)
# A question that may ask for something else.
ASKS_MORE = re.compile(
    r"\b(?:how(?! to (?:do|achieve|accomplish) (?:it|this|that)\b)|what|which|where|when|who)\b|"
    r"^(?:is it possible|(?:is|are) there)\b",
    re.IGNORECASE,
)


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


def check_no_other_question(request: str, sentence: str) -> None:
    """Raise ExtractionFailed for a question that asks for something else in words of its own.

    "How do I keep it from my brother?" is one, and "Are they only there for the light?" a comment on the request.
    """
    if "?" in sentence and ASKS_MORE.search(sentence) and words_of_its_own(request, sentence):
        raise ExtractionFailed("more than one sentence of the instruction is a request", sentence)
