"""Which sentence of an instruction is the request: the rules analyse that sentence and omit the others."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.openers import match_opener
from sea_core.extraction.rules.vocabulary import CLOSING, GREETING

ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|[A-Za-z])\.$")
FINAL_ABBREVIATION = re.compile(r"\b(?:Jr|Sr|Inc|Co|Corp|Ltd|etc)\.,?$")  # a sentence may end with it
SENTENCE_END = re.compile(r"[.?!…]+[\"')]*(?=\s|$)")
QUESTION = re.compile(r"\?[^\w]*$")
# A sentence without content, before or after the request. Possessive loops, so that no text causes backtracking.
COURTESY = re.compile(rf"(?:{GREETING}|(?:{CLOSING}[\s,.?!]*)++)", re.IGNORECASE)
UNSUPPORTED = re.compile(
    r"https?:|www\.|\w\.(?:com|org|net)\b|[<>{}\[\]|\\*_#@^~=]|^\s*(?:[-•]|\d+[.)])\s", re.IGNORECASE
)


@dataclass(frozen=True)
class Request:
    """The requesting sentence, and the courtesies before and after it, each with its space.

    Attributes:
        has_omissions: whether sentences after it were omitted.
    """

    before: str
    sentence: str
    after: str
    has_omissions: bool


def find_request(instruction: str) -> Request:
    """Return the only requesting sentence of an instruction, which must have a known opener.

    Sentences after it that only state something are omitted from the detoxified text: they may express the harm in
    other words than the phrase's. A sentence before it may make the request harmful ("I run a scam. How do I write
    letters?"), and with a second request the answer would not fit what is left, so these instructions fail.

    Raises:
        ExtractionFailed: no sentence has a known opener, several are requests, or one before it is not a courtesy; or
            the text is a list, markup or not English.
    """
    sentences = split_sentences(join_lines(instruction))
    is_courtesy = [bool(COURTESY.fullmatch(sentence + " ")) for sentence in sentences]
    has_opener = [bool(match_opener(sentence)[1]) for sentence in sentences]
    if all(is_courtesy):  # "Can you help me?" alone
        is_courtesy = [not known for known in has_opener]
    if not any(known and not courtesy for known, courtesy in zip(has_opener, is_courtesy, strict=True)):
        raise ExtractionFailed("the instruction does not begin with an opener that the rules know")
    requests = [
        index
        for index, sentence in enumerate(sentences)
        if not is_courtesy[index] and (has_opener[index] or QUESTION.search(sentence))
    ]
    if len(requests) > 1:
        raise ExtractionFailed("more than one sentence of the instruction is a request", sentences[requests[1]])
    (place,) = requests
    if not all(is_courtesy[:place]):
        context = sentences[is_courtesy.index(False)]
        raise ExtractionFailed("the request may depend on a sentence before it", context)
    rest = zip(sentences[place + 1 :], is_courtesy[place + 1 :], strict=True)
    return Request(
        before="".join(f"{sentence} " for sentence in sentences[:place]),
        sentence=sentences[place],
        after="".join(f" {sentence}" for sentence, courtesy in rest if courtesy),
        has_omissions=not all(is_courtesy[place + 1 :]),
    )


def split_sentences(text: str) -> list[str]:
    """Split a line into sentences with their full stops; abbreviations do not end a sentence."""
    found, begin = [], 0
    for end in SENTENCE_END.finditer(text):
        head, rest = text[begin : end.end()], text[end.end() :].lstrip()
        if ABBREVIATION.search(head) or (rest and FINAL_ABBREVIATION.search(head) and rest[0].islower()):
            continue
        found.append(head.strip())
        begin = end.end()
    return [sentence for sentence in (*found, text[begin:].strip()) if sentence]


def join_lines(instruction: str) -> str:
    """Return the text on one line with plain quotes. Raises ExtractionFailed for text that the rules do not support."""
    if len([line for line in instruction.splitlines() if line.strip()]) > 1:
        raise ExtractionFailed("the instruction has more than one line")
    text = " ".join(instruction.split()).replace("’", "'").replace("‘", "'")
    if not re.search("[A-Za-z]", text):
        raise ExtractionFailed("the instruction has no English letters")
    if unsupported := UNSUPPORTED.search(text):
        raise ExtractionFailed("the instruction has a URL, a list or markup", unsupported[0].strip())
    return text.lower() if text.isupper() else text
