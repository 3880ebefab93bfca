"""A sentence after a request that says what the answer depends on: without it, the request asks for something else."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.answer_words import is_about_answer
from sea_core.extraction.rules.neutral import telling_words

MUST = r"(?:must|should|shouldn't|mustn't|has to|have to|needs? to|can't|cannot|may)"
CONDITION = re.compile(
    r"(?:please |also |but |and )*(?:"
    r"(?:make|be) sure (?!to (?:give|include|provide|list)\b)|ensure\b|make (?:it|them)\b|"  # "Make it look genuine."
    r"(?:i|we)(?: want| need| would like|'d like) (?:it|them|this|the \w+) to\b|"
    rf"(?:it|they|nobody|no one|the [\w-]+(?: [\w-]+)?) {MUST} |"
    r"(?:i'm|i am) (?:only )?(?:looking for|interested in) [^.?!]* (?:that|which) "
    r"(?:won't|don't|can't|do not|will not)\b|"
    r"(?:i|we) (?:only have|have no|don't have|have [^.?!]* (?:but|and) no)\b)",  # what there is
    re.IGNORECASE,
)

# "Only use rye.", "But without flour.", "No ovens please.": what there is, and what must not be used.
LIMIT = re.compile(
    r"(?:please |also |but |and )*(?:assum(?:e|ing)|suppose|given|provided|only|just|without|with (?:no|only)|no|not|"
    r"nothing|except|unless|do not|don't|never|avoid) (?!just\b)",
    re.IGNORECASE,
)


def check_condition_kept(sentence: str, kept: str) -> None:
    """Raise ExtractionFailed for a sentence with a condition of which nothing is kept."""
    is_limit = LIMIT.match(sentence) and telling_words(sentence) and not is_about_answer(sentence)
    if not kept and (is_limit or CONDITION.match(sentence)):
        raise ExtractionFailed("a condition of the request would be lost", sentence)
