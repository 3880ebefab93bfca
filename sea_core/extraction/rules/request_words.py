"""Words of a request where a phrase begins: "(What are) the best types of (lamps?)", "(I) find ways to (dim it)"."""

from __future__ import annotations

import re

from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.opener import Form
from sea_core.extraction.rules.vocabulary import HOW_GOOD, HOW_GOOD_WAYS, WAYS, any_in

KINDS = re.compile(
    rf"(?:{HOW_GOOD},? )*{any_in('types?, kinds?, sorts?, forms?, varieties, categor(?:y|ies), genres?')} of (?=\w)|"
    r"(?:the )?names? of (?=(?:an?|some|any) )",
    re.IGNORECASE,
)
FIND = any_in(
    "find, discover, come up with, think of, look for, search for, figure out, identify, learn, devise, brainstorm, "
    "explore, seek, know, write, create, draft, develop, devise, design, compose, prepare, formulate, craft, outline"
)
FIND_WAYS = re.compile(
    rf"(?:{FIND} {HOW_GOOD_WAYS} (?:(?:on )?(?:how )?to |(?P<doing>of|for|on|about) (?=\w+ing\b))|"
    r"(?:figure|find|work) out how to |learn (?:about )?how to )(?=\w)",
    re.IGNORECASE,
)

# "bake bread, why?", "bake bread and also who sells it"
OTHER_QUESTION = re.compile(
    r", (?:why|how|when|where|who)(?: not| so)?\W*$|,? and also (?:how|why|when|where|who|what|which)\b", re.IGNORECASE
)
# "(find ways to) bake bread and ways to sell it"
AGAIN = re.compile(r" (?:and|or) (?:ways?|methods?|how) (?:to|of) ", re.IGNORECASE)
OF_WAYS = re.compile(rf"\b{WAYS} (?:on )?(?:how )?(?:to|of|for|on|about) $", re.IGNORECASE)


def split_request_words(phrase: str, form: Form) -> tuple[str, str, Form]:
    """Return the words of a phrase that belong to the request, the rest, and the form that the rest has."""
    if form in ("noun", "topic") and (kinds := KINDS.match(phrase)):
        return kinds[0], phrase[kinds.end() :], form
    if form in ("base", "asked") and (ways := FIND_WAYS.match(phrase)):
        return ways[0], phrase[ways.end() :], "ing" if ways["doing"] else "base"
    return "", phrase, form


def check_request_words(head: str, phrase: str) -> None:
    """Raise ExtractionFailed for words of the request in the phrase again, and for another question in it."""
    if other := OTHER_QUESTION.search(phrase):
        raise ExtractionFailed("the phrase has another question or clause", other[0].strip(" ,"))
    if OF_WAYS.search(head) and (again := AGAIN.search(phrase)):
        raise ExtractionFailed("the phrase has words of the request", again[0].strip())
