"""Nouns that name no product: an act, a state, an event, persons, an idea, or how something is done.

Most are from WordNet, in no_products.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sea_core.extraction.english import lemmas

FILE = Path(__file__).with_suffix(".toml")
ADDED: Mapping[str, str] = {
    "a state": "feeling fetish kink knowledge like performance stress",
    "an event": (
        "concert controversy deed event festival holiday mission parade picnic rally reunion scandal vacation warming "
        "talk_show trade_show"
    ),
    "persons": "adult chick coworker hitman individual influencer neighbour person people stripper",
    "a group": (
        "country group studio startup court_system criminal_system health_system healthcare_system immigration_system "
        "judicial_system justice_system legal_system prison_system school_system welfare_system"
    ),
    "a relation": "challenge criterion indicator loophole motivation motive obstacle rate scene",
    "an idea": "assumption embellishment exaggeration genre niche option economic_system political_system",
    "how something is done": "allocation measure method technique way sex_position sexual_position",
}
"""What WordNet lacks, or has among things; the nouns in their singular, some with the word before."""
AMOUNT = "an amount"
MAY_BE_FOUND = tuple(f"the noun phrase names {who}" for who in ("persons", "a group"))
"""Reasons for no product, of which the activity is still named: "find a witness"."""
COMPOUNDED = frozenset("indicator scene".split())
"""After another noun these are things: "a turn indicator", "a mountain scene"."""
DISEASES = ("itis", "osis", "emia", "algia", "phobia", "sclerosis")


@cache
def no_products() -> Mapping[str, str]:
    """Return what each noun names that names no product: "an event" for "picnic"."""
    kinds = (*tomllib.loads(FILE.read_text(encoding="utf-8")).items(), *ADDED.items())
    return {noun: kind for kind, nouns in kinds for noun in nouns.split()}


def names_person(head: str) -> bool:
    """Return whether the head of a noun phrase names a person or several: "neighbour"."""
    return what_is_named(head) == "persons"


def what_is_named(head: str, before: str = "") -> str:
    """Return what the head of a noun phrase names, if that is no product: "an event"; else "".

    Args:
        before: the word before it, with which it may be a compound: "trade show".
    """
    if head.endswith(DISEASES):
        return "a state"
    found = no_products()
    forms = lemmas(head)
    if head.endswith("men"):  # the dictionary lacks "hitmen"
        forms |= {f"{head[:-2]}an"}
    nouns = (noun for form in sorted(forms, key=lambda form: (len(form), form)) for noun in (f"{before}_{form}", form))
    return next((found[noun] for noun in nouns if noun in found), "")
