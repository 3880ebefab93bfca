"""Which sentence of an instruction asks: the offline rules take that one apart, and leave the others out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.openers import match_opener
from sea_core.extraction.rules.vocabulary import CLOSING, GREETING

ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|[A-Za-z])\.$")
LAST_ABBREVIATION = re.compile(r"\b(?:Jr|Sr|Inc|Co|Corp|Ltd|etc)\.,?$")  # A sentence may end with it.
SENTENCE_END = re.compile(r"[.?!…]+[\"')]*(?=\s|$)")
QUESTION = re.compile(r"\?[^\w]*$")
# What says nothing, before or after the request. The loops are possessive, so that no text makes them try every split.
COURTESY = re.compile(rf"(?:{GREETING}|(?:{CLOSING}[\s,.?!]*)++)", re.IGNORECASE)
ODD = re.compile(r"https?:|www\.|\w\.(?:com|org|net)\b|[<>{}\[\]|\\*_#@^~=]|^\s*(?:[-•]|\d+[.)])\s", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """The sentence that asks, and the courtesies around it, each with its space.

    Attributes:
        told: whether sentences after it were left out.
    """

    before: str
    sentence: str
    after: str
    context: bool


def find_request(instruction: str) -> Request:
    """Return the one sentence that asks, if it has a known opener.

    Sentences after it that only tell something are left out of the detoxified text: they may hold the harm in other
    words than the phrase's. With a sentence before it, the request may be harmless in itself ("I run a scam. How do I
    write letters?"), and with another one that asks, the answer would not fit what is left.

    Raises:
        ExtractionFailed: no sentence has a known opener, several ask, or one stands before it that is no courtesy; or
            the text is a list, markup or no English.
    """
    every = split_sentences(one_line(instruction))
    kept = [bool(COURTESY.fullmatch(one + " ")) for one in every]
    openers = [bool(match_opener(one)[1]) for one in every]
    if all(kept):  # "Can you help me?" alone
        kept = [not known for known in openers]
    if not any(known and not nice for known, nice in zip(openers, kept, strict=True)):
        raise ExtractionFailed("the instruction does not begin with an opener that the rules know")
    asking = [n for n, one in enumerate(every) if not kept[n] and (openers[n] or QUESTION.search(one))]
    if len(asking) > 1:
        raise ExtractionFailed("more than one sentence of the instruction asks", every[asking[1]])
    (place,) = asking
    if not all(kept[:place]):
        raise ExtractionFailed(
            "what the instruction asks for may hang on the sentences before", every[kept.index(False)]
        )
    return Request(
        before="".join(f"{one} " for one in every[:place]),
        sentence=every[place],
        after="".join(f" {one}" for one, nice in zip(every[place + 1 :], kept[place + 1 :], strict=True) if nice),
        context=not all(kept[place + 1 :]),
    )


def split_sentences(text: str) -> list[str]:
    """Split a line into sentences, each with its full stop; an abbreviation ends none."""
    found, begin = [], 0
    for end in SENTENCE_END.finditer(text):
        head, rest = text[begin : end.end()], text[end.end() :].lstrip()
        if ABBREVIATION.search(head) or (rest and LAST_ABBREVIATION.search(head) and rest[0].islower()):
            continue
        found.append(head.strip())
        begin = end.end()
    return [one for one in (*found, text[begin:].strip()) if one]


def one_line(instruction: str) -> str:
    """Return the text in one line with plain quotes. Raises ExtractionFailed for what the rules cannot read."""
    if len([line for line in instruction.splitlines() if line.strip()]) > 1:
        raise ExtractionFailed("the instruction has more than one line")
    text = " ".join(instruction.split()).replace("’", "'").replace("‘", "'")
    if not re.search("[A-Za-z]", text):
        raise ExtractionFailed("the instruction holds no English letters")
    if odd := ODD.search(text):
        raise ExtractionFailed("the instruction holds an address, a list or markup", odd[0].strip())
    return text.lower() if text.isupper() else text
