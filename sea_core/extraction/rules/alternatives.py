"""Questions which of two is better: "Is it more fun to bake or to fry?" asks for a way of doing the activity."""

from __future__ import annotations

import re

from sea_core.extraction.leak import placeholder

OR = re.compile(r"\bor\b", re.IGNORECASE)
MORE = r"(?P<more>(?:more|less) [\w-]+|better|worse|easier|harder|safer|cheaper|faster|quicker|nicer)"
WHICH_IS = re.compile(rf"(?:which is {MORE}[,:]? |is it {MORE.replace('more>', 'rather>')} )(?:to )?", re.IGNORECASE)
PREFER = re.compile(
    r"(?:(?:which|what) )?(?P<do>do|would) you (?:prefer|rather)(?: do)?(?: ?[-:,])? (?:to )?", re.IGNORECASE
)


def which_way(head: str, phrase: str, tail: str) -> str:
    """Return the question which way is better, of a phrase that names two; "" for any other question.

    Args:
        head, tail: what is before and after the phrase in the instruction.
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
    return f"{way[0].upper() if head[0].isupper() else way[0]}{way[1:]}{tail}"
