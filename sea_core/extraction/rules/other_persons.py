"""Which other persons of a phrase "they" may mean, where it is to mean whoever acts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sea_core.extraction.english import FUNCTION_WORDS, lemmas, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.no_products import no_products
from sea_core.extraction.rules.nouns import GROUPS
from sea_core.extraction.rules.tokens import TOKEN, neighbour

OWNER = re.compile(r"\b(?:my|our|the|an?) (?:\w+ )?(?P<who>\w+)'s? \w", re.IGNORECASE)
"""Whose something is that a question speaks of: "What can I put on MY BAKER'S shelf to ...?"."""
THEY = frozenset("they they're they've they'll they'd their theirs them themselves".split())
ONE_GENDER = frozenset(
    "man woman boy girl husband wife mother father mom dad brother sister son daughter boyfriend girlfriend actor "
    "actress lady gentleman guy dude chick uncle aunt niece nephew grandmother grandfather grandma grandpa king queen "
    "nun monk".split()
)
"""One of these is no "they", several are."""
PRONOUNS = frozenset("someone somebody anyone anybody everyone everybody others nobody".split())
PERSONS = (
    frozenset(noun for noun, kind in no_products().items() if kind == "persons")
    | PRONOUNS
    | (GROUPS - {"you", "they"})
    | frozenset(
        "ex cousin family team crew crowd audience public couple media government police bank church school flatmate "
        "housemate driver target trainer player viewer reader attendee human twin group gang cartel community "
        "organization organisation company corporation firm agency".split()
    )
) - {"escort"}
"""Whom "they" may mean, in the singular."""


def other_person(tokens: Sequence[str], index: int, but: str = "") -> str:
    """Return the last word before a place that names others whom "they" may mean; "" if none does.

    Args:
        tokens: the words of a phrase, and what stands between them.
        but: a word that does not count.
    """
    places = range(index - index % 2 - 2, 0, -2)
    return next((tokens[at].lower() for at in places if tokens[at] != but and _may_be_they(tokens, at)), "")


def check_no_owner(head: str, phrase: str) -> None:
    """Raise ExtractionFailed for a "they" of the phrase that is an owner whom only the words before it name."""
    tokens = TOKEN.findall(phrase)
    they = next((at for at, token in enumerate(tokens) if token.lower() in THEY), None)
    owners = [found["who"] for found in OWNER.finditer(head) if {found["who"]} & PERSONS]
    if they is not None and owners and not other_person(tokens, they):
        raise ExtractionFailed("a pronoun refers to a person that the phrase does not name", tokens[they])


def _may_be_they(tokens: Sequence[str], at: int) -> bool:
    word = tokens[at].lower()
    noun = word.removesuffix("'s")
    if noun in ONE_GENDER or "NOUN" not in (word_classes(noun) | ({"NOUN"} if noun in PERSONS else set())):
        return False
    after = neighbour([*tokens], at, 1)
    is_modifier = noun == word and noun in PERSONS - PRONOUNS and noun not in ("people", "police", "children")
    is_modifier = is_modifier and after not in FUNCTION_WORDS and tokens[at + 2 : at + 3] in ([after], [after.upper()])
    if is_modifier and (len(after) == 1 or "NOUN" in word_classes(after)):  # "the user manual", "company X"
        return False
    return bool(lemmas(noun) & (PERSONS | ONE_GENDER))
