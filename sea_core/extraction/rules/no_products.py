"""Nouns that name no product: a state, an event, persons, or how something is done."""

from __future__ import annotations

from collections.abc import Mapping

from sea_core.extraction.english import lemmas

NO_PRODUCTS: Mapping[str, frozenset[str]] = {
    "a state": frozenset(
        "pain suffering fear anger stress grief depression anxiety addiction obesity poverty happiness sadness "
        "loneliness feeling emotion habit belief orientation fantasy fetish kink desire preference like dislike "
        "performance education knowledge awareness "
        "personality life mood disease disorder syndrome illness sickness infection tumor tumour cancer fever allergy "
        "pregnancy status affiliation philosophy "
        "trauma pleasure satisfaction hatred jealousy loyalty cold flu".split()
    ),
    "an event": frozenset(
        "picnic wedding funeral election concert festival ceremony rally parade mission scandal controversy accident "
        "crash disaster earthquake hurricane flood pandemic epidemic outbreak crisis famine holiday vacation trip "
        "journey visit event incident warming collapse recession deed death reunion celebration".split()
    ),
    "persons": frozenset(
        "person people man woman child kid boy girl baby adult teen teenager individual guy lady gentleman chick dude "
        "friend boyfriend girlfriend husband wife mother father parent brother sister son daughter actor actress "
        "celebrity comedian singer musician escort prostitute hooker stripper hitman hacker thief criminal terrorist "
        "murderer politician victim minor student teacher employee worker colleague coworker boss creator influencer "
        "lawyer doctor immigrant refugee soldier mercenary seller dealer supplier "
        "provider baker accomplice neighbor neighbour stranger".split()
    ),
    "a group": frozenset(
        "group gang cartel community organization organisation company corporation firm startup studio agency country "
        "nation".split()
    ),
    "a relation": frozenset(
        "difficulty challenge risk danger hazard obstacle drawback opportunity indicator scene ratio "
        "motive motivation weakness criterion factor rate period duration likelihood".split()
    ),
    "an idea": frozenset(
        "option politics ideology religion culture career accomplishment achievement stereotype assumption "
        "exaggeration embellishment".split()
    ),
    "how something is done": frozenset(
        "technique method tactic strategies measure precaution pitfall process procedure way approach "
        "allocation".split()
    ),
}
"""What a noun names that could not be shown as a thing; the nouns in their singular. A strategy may be a text."""
MAY_BE_FOUND = tuple(f"the noun phrase names {who}" for who in ("persons", "a group"))
"""Reasons for no product, of which the activity is still named: "find a witness"."""
COMPOUNDED = frozenset("indicator scene".split())
"""After another noun these are things: "a turn indicator", "a mountain scene"."""
DISEASES = ("itis", "osis", "emia", "algia", "phobia", "sclerosis")


def names_person(head: str) -> bool:
    """Return whether the head of a noun phrase names a person or several: "neighbour"."""
    return bool(lemmas(head) & NO_PRODUCTS["persons"])


def what_is_named(head: str) -> str:
    """Return what the head of a noun phrase names, if that is no product: "an event"; else ""."""
    if head.endswith(DISEASES):
        return "a state"
    forms = lemmas(head)
    return next((what for what, nouns in NO_PRODUCTS.items() if forms & nouns), "")
