"""An instruction on one line, and its sentences."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed

ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|[A-Za-z])\.$")
FINAL_ABBREVIATION = re.compile(r"\b(?:Jr|Sr|Inc|Co|Corp|Ltd|etc)\.,?$")  # a sentence may end with it
QUOTED = re.compile(r'"([^"]+)"')
"""A whole instruction in quotes asks what it asks without them."""
SENTENCE_END = re.compile(r"[.?!…]+[\"')]*(?=\s|$)")
UNSUPPORTED = re.compile(
    r"https?:|www\.|\w\.(?:com|org|net)\b|[<>{}\[\]|\\*_#@^~=]|^\s*(?:[-•]|\d+[.)])\s", re.IGNORECASE
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
    text = " ".join(instruction.split()).replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    if quoted := QUOTED.fullmatch(text):
        text = quoted[1].strip()
    if not re.search("[A-Za-z]", text):
        raise ExtractionFailed("the instruction has no English letters")
    if unsupported := UNSUPPORTED.search(text):
        raise ExtractionFailed("the instruction has a URL, a list or markup", unsupported[0].strip())
    return text.lower() if text.isupper() else text
