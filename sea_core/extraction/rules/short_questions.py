"""A second question in neutral words: of ", and if so, which lamp was it?" these are ", and if so, which one?"."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.neutral import says_nothing
from sea_core.extraction.rules.vocabulary import COST

IF_SO = re.compile(
    r"(?P<so>,? and if (?:so|yes),? )(?P<word>what|which|how|where|when|why|who)\b"
    r"(?P<kind> (?:kind|type|sort)s?(?= of ))?"
    r"(?P<thing>(?: [\w'-]+)*?) (?P<rest>(?:did|do|does|have|has|would|was|were|is|are)\b.*)",
    re.IGNORECASE,
)
DID_YOU = re.compile(r"(?P<did>(?:did|do|would) you (?P<verb>\w+))\b(?: to \w.*)?", re.IGNORECASE)
LAST_PREPOSITION = re.compile(r" (about|with|for|from|in|on|at|of)$", re.IGNORECASE)
# ", and have you ever been involved in such an operation?"
HAVE_YOU_EVER = re.compile(r"(,? and have you ever) (?:been (?:involved|part)|(?:\w+ly )?done)\b", re.IGNORECASE)
# ", and are there any benefits to lamps?"
ANY_EFFECTS = re.compile(
    rf"(,? and (?:(?:is|are) there|what (?:is|are)) "
    rf"(?:(?:any|some|the|long-term|potential|possible|common|main) )*{COST})"
    r"(?: (?:to|of|for|in|from|with)\b.*)?$",
    re.IGNORECASE,
)
WHICH_ONE = re.compile(r"(?<=\bif so, )which one(?P<several>s)?(?P<rest>\b.*)$", re.IGNORECASE)
WHAT_DONE = "what exactly did you do"
HAVE_DONE = re.compile(r"(?:(?:did|have|had) you|(?:was|were) (?:it|they|that|the \w+est))\b", re.IGNORECASE)
"""What says that "what exactly did you do" asks the same; "which flour would be best" asks something else."""
# "what was it", "what was the best": "what is most expensive" would ask something else.
IS_IT = re.compile(r" (?:is|was) (?:it|the \w+)", re.IGNORECASE)
OPINION = re.compile(r"(?:do|did|would) you (?:think|believe|consider|recommend)\b", re.IGNORECASE)


def without_one(part: str, is_thing: bool, is_done: bool) -> str:
    """Return a part of a request without "which one", which would ask for one of several activities or products.

    What would then ask something else stays as it is, for `check_without_one`.

    Args:
        is_done: whether the request asks what somebody has done.
    """
    if not (found := WHICH_ONE.search(part)):
        return part
    begin, rest = part[: found.start()], found["rest"]
    if is_thing:
        return f"{begin}which kind{found['several'] or ''}{rest}"
    if not rest.strip() and is_done:
        return begin + WHAT_DONE
    return part if found["several"] or not IS_IT.fullmatch(rest) else f"{begin}what{rest}"


def check_without_one(tail: str) -> None:
    """Raise ExtractionFailed if what follows a phrase still asks which one: "this activity, and if so, which one?"."""
    if WHICH_ONE.search(tail):
        raise ExtractionFailed("a part of the request would be lost", tail.strip(" ,"))


def short_question(part: str) -> str:
    """Return what a second question asks in neutral words, without the end of the sentence; "" if that is unclear."""
    if found := ANY_EFFECTS.match(part):
        return found[1]
    if found := HAVE_YOU_EVER.match(part):
        return f"{found[1]} done it"
    return _if_so(found) if (found := IF_SO.match(part)) else ""


def _if_so(found: re.Match[str]) -> str:
    begin, thing = f"{found['so']}{found['word']}", found["thing"]
    if thing and OPINION.match(found["rest"]):  # "which baker do you think is the richest": not what was done
        return ""
    if found["kind"]:
        return begin + found["kind"]
    if thing:
        is_which = found["word"].lower() in ("what", "which")
        if says_nothing(thing):
            is_one = thing.strip().lower() in ("one", "ones")  # "which one is most expensive"
            return "" if is_one and not HAVE_DONE.match(found["rest"]) else begin + thing
        return f"{found['so']}{WHAT_DONE}" if is_which and HAVE_DONE.match(found["rest"]) else ""
    if found["word"].lower() not in ("what", "which", "who"):
        return begin
    did = DID_YOU.fullmatch(found["rest"])
    if did and says_nothing(did["verb"]):
        return f"{begin} {did['did']}"
    preposition = LAST_PREPOSITION.search(found["rest"])
    return f"{found['so']}{preposition[1]} {found['word']}" if preposition else ""
