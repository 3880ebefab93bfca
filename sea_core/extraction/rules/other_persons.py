"""Which other persons of a phrase "they" may mean, where it is to mean whoever acts."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.extraction.english import FUNCTION_WORDS, lemmas, word_classes
from sea_core.extraction.rules.no_products import NO_PRODUCTS
from sea_core.extraction.rules.nouns import GROUPS
from sea_core.extraction.rules.tokens import neighbour

ONE_GENDER = frozenset(
    "man woman boy girl husband wife mother father mom dad brother sister son daughter boyfriend girlfriend actor "
    "actress lady gentleman guy dude chick uncle aunt niece nephew grandmother grandfather grandma grandpa king queen "
    "nun monk".split()
)
"""One of these is no "they", several are."""
PRONOUNS = frozenset("someone somebody anyone anybody everyone everybody others nobody".split())
PERSONS = (
    NO_PRODUCTS["persons"]
    | NO_PRODUCTS["a group"]
    | PRONOUNS
    | (GROUPS - {"you", "they"})
    | frozenset(
        "ex spouse partner sibling cousin relative twin grandparent family team crew crowd audience public couple "
        "media government police bank church school classmate roommate flatmate housemate tenant landlord client "
        "customer user patient nurse judge driver target enemy opponent rival competitor competition follower voter "
        "donor investor "
        "citizen resident owner buyer member manager therapist officer guard guest passenger visitor reader viewer "
        "player author artist writer reporter journalist scientist engineer farmer tourist witness suspect prisoner "
        "inmate candidate applicant recruiter supervisor professor coach trainer scholar expert leader participant "
        "attendee subscriber listener shopper worker staff employer heir parent grandchild schoolmate teammate "
        "locksmith pupil human pedestrian cyclist".split()
    )
) - {"escort", "startup", "studio", "country", "nation"}
"""Whom "they" may mean, in the singular."""


def other_person(tokens: Sequence[str], index: int, but: str = "") -> str:
    """Return the last word before a place that names others whom "they" may mean; "" if none does.

    Args:
        tokens: the words of a phrase, and what stands between them.
        but: a word that does not count.
    """
    places = range(index - index % 2 - 2, 0, -2)
    return next((tokens[at].lower() for at in places if tokens[at] != but and _may_be_they(tokens, at)), "")


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
