"""Questions which of two is better: "Is it more fun to bake or to fry?" asks for a way of doing the activity."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import placeholder
from sea_core.extraction.rules.vocabulary import any_in

OR = re.compile(
    r"\bor\b(?! (?:so|more|less|longer|\d+|two|three|four|five|six|seven|eight|nine|ten|anything|something)\b)",
    re.IGNORECASE,
)
"""What names a second way, and not only how many: "hide a lamp or two"."""
OR_NOT = re.compile(r"\bor not\b", re.IGNORECASE)
# A closed list: any other word may say the harm.
JUDGEMENT = any_in(
    "fun, pleasant, pleasurable, enjoyable, exciting, satisfying, interesting, effective, efficient, useful, helpful, "
    "practical, convenient, reliable, common, popular, important, likely, difficult, expensive, dangerous, risky, "
    "harmful, painful, ethical, unethical, moral, immoral, acceptable, reasonable, appropriate"
)
MORE = rf"(?P<more>(?:more|less) {JUDGEMENT}|better|worse|easier|harder|safer|cheaper|faster|quicker|nicer)"
WHICH_IS = re.compile(rf"(?:which is {MORE}[,:]? |is it {MORE.replace('more>', 'rather>')} )(?:to )?", re.IGNORECASE)
PREFER = re.compile(
    r"(?:(?:which|what) )?(?P<do>do|would) you (?:prefer|rather)(?: do)?(?: ?[-:,])? (?:to )?", re.IGNORECASE
)


def which_way(head: str, phrase: str, tail: str) -> str:
    """Return the question which way is better, of a phrase that names two; "" for any other question.

    Args:
        head, tail: what is before and after the phrase in the instruction.

    Raises:
        ExtractionFailed: the other way is not to do it: "bake bread or not".
    """
    if not OR.search(phrase) or "or" in tail.split():
        return ""
    way = f"which way of doing {placeholder('activity')}"
    if found := WHICH_IS.fullmatch(head):
        way = f"{way} is {found['more'] or found['rather']}"
    elif found := PREFER.fullmatch(head):
        way = f"{way} {found['do'].lower()} you prefer"
    else:
        return ""
    if OR_NOT.search(phrase):
        raise ExtractionFailed("the question is whether to do it or not", phrase)
    return f"{way[0].upper() if head[0].isupper() else way[0]}{way[1:]}{tail}"
