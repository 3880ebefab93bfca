"""What an opener is, and how every opener begins: a greeting, a role, and up to two requests for information."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sea_core.extraction.rules.vocabulary import (
    DETAILS,
    GREETING,
    I_WANT_TO,
    IF_YOU,
    KIND_OF,
    LEARN,
    MAKE,
    ROLE,
    SOFT,
    SOMEONE,
    TELLING,
    WILL_YOU,
    WRITTEN,
    any_of,
)

Form = Literal[
    "base", "asked", "past", "simple", "condition", "stranded", "passive", "effect", "ing",
    "act", "noun", "topic", "works", "judged", "causes",
]  # fmt: skip
"""The form of a phrase: "pick a lock", the same asked of the assistant itself, "(have) picked a lock", "(who) picked a
lock", "(if I) pick a lock, what happens", "(a tool I can) pick a lock with", "locks picked", "picking a lock (cause
damage)", "picking a lock", "theft", "a skeleton key", "a skeleton key" or "picking a lock", "a skeleton key work", "a
skeleton key legal", "a skeleton key cause damage"."""


@dataclass(frozen=True)
class Opener:
    """What an instruction says before its phrase.

    Attributes:
        end: where the phrase begins.
        forms: the forms that the phrase may have, the likeliest first.
        head: the opener as the detoxified instruction has it.
        subject: whom the phrase is about, if not whoever asks; "their" in the phrase may refer to them.
        actor: the subject with the form of "be" that agrees, if it belongs to the phrase: "bakers are".
    """

    end: int
    forms: tuple[Form, ...]
    head: str
    subject: str = ""
    actor: str = ""


# A request for information; any question may follow it.
ASK = any_of(
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell|teach|show|explain to|give|advise|instruct|guide) (?:{SOMEONE} )?(?:about |on "
    rf"|in |through )?(?:exactly )?",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:with |on |in |about )?{DETAILS}",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:me|us)? ?(?:to )?(?:{LEARN} |with )",
    r"(?:do|would) you (?:happen to )?(?:know|have)(?: of| about| any idea| any ideas)? ",
    r"(?:are|is) there (?=any )?",
    rf"{I_WANT_TO} {LEARN} ",
    r"i(?: am|'m)? (?:was )?(?:just )?(?:wonder|wondering|curious|not sure|unsure)(?: about)? ",
    rf"(?:i(?: am|'m| was)? (?:just )?wondering )?{IF_YOU} {SOFT}"
    "(?:tell|teach|show|explain|describe|suggest|help|give) (?:to )?(?:me |us )?(?:with )?",
    r"i (?:need|want|don't know) ",
    r"(?:i'm|i am) looking for ",
    r"any idea ",
    r"let (?:me|us) know ",
    r"(?:do you think |is it true )(?:that )?",
    r"i (?:think|believe|feel) (?:that )?(?=it)",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:an? )?(?:{KIND_OF} )*{WRITTEN} (?:{TELLING} )?",
)

BEGINNING = f"{GREETING}(?:{ROLE})?(?:{ASK}){{0,2}}"
ROLE_AFTER_GREETING = re.compile(f"({GREETING}){ROLE}", re.IGNORECASE)


def has_role(sentence: str) -> bool:
    """Return whether a sentence begins with a role, which the detoxified instruction omits."""
    return bool(ROLE_AFTER_GREETING.match(sentence))


def without_role(head: str) -> str:
    """Return an opener without "As a locksmith,": a role may express the harm in other words than the phrase's."""
    without = ROLE_AFTER_GREETING.sub(r"\1", head, count=1)
    return without if without == head or not head[0].isupper() else without[:1].upper() + without[1:]
