"""The openers that the offline extractor knows: what an instruction says before its phrase.

An opener stays unchanged in the detoxified instruction. Its grammar is small: a greeting, up to two requests for
information, and the question itself, which determines the form of the phrase. The words are in `vocabulary.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from sea_core.extraction.rules.vocabulary import (
    ABOUT,
    CAN,
    COST,
    FIND,
    FOR_ONE,
    GIVE,
    GREETING,
    I_WANT_TO,
    IF_YOU,
    IS,
    KIND_OF,
    LEARN,
    MANNER,
    OKAY,
    ONE,
    PICTURE,
    SOFT,
    TELLING,
    THE_BEST,
    TOOL,
    WANT,
    WAY,
    WILL_YOU,
    WRITTEN,
    any_of,
)

Form = Literal["base", "ing", "noun", "works"]
"""The form of a phrase: "pick a lock", "picking a lock", "a skeleton key", "a skeleton key work"."""

# A request for information; any question may follow it.
ASK = any_of(
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell|teach|show|explain to|give|advise|instruct) (?:me|us) (?:about )?(?:exactly )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:explain|describe|suggest|provide|list|give|recommend) (?:to me )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:me|us)? ?(?:to )?(?:{LEARN} |with )",
    r"(?:do|would) you (?:happen to )?(?:know|have)(?: of| about| any idea| any ideas)? ",
    rf"{I_WANT_TO} {LEARN} ",
    r"i(?: am|'m)? (?:was )?(?:just )?(?:wonder|wondering|curious|not sure|unsure)(?: about)? ",
    rf"(?:i(?: am|'m| was)? (?:just )?wondering )?{IF_YOU} {SOFT}"
    "(?:tell|teach|show|explain|describe|suggest|help|give) (?:to )?(?:me |us )?(?:with )?",
    r"i (?:need|want|don't know) ",
    r"any idea ",
    r"(?:do you think |is it true )(?:that )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:write|compose|create|make|draft)(?: me| us)? (?:an? )?(?:{KIND_OF} )*{WRITTEN} "
    rf"(?:{TELLING} )?",
)

BASE = (
    rf"how {CAN} {ONE} {SOFT}",
    rf"how to {SOFT}",
    rf"how {ONE} {CAN} {SOFT}",
    rf"{THE_BEST}{WAY} (?:on |for )?(?:how )?{FOR_ONE}to {SOFT}",
    rf"{THE_BEST}{MANNER} (?:that |in which )?{ONE} {CAN} {SOFT}",
    rf"(?:is|would) (?:it|that|this) (?:be )?(?:ever |so |too |really |considered )?{OKAY} "
    rf"{FOR_ONE}(?:to|if {ONE}) {SOFT}",
    rf"(?:if |whether )?(?:should|can|could|may|must) {ONE} (?:be (?:allowed|able) to )?{SOFT}",
    rf"(?:am|is|are) {ONE} (?:{SOFT})(?:allowed|permitted|able|supposed) to {SOFT}",
    rf"why (?:can|can't|should|shouldn't|do|don't|would) (?:i|we|they|people|some people) {SOFT}",
    rf"(?:who|whom) {CAN} {ONE} (?:talk to|call|contact|ask|hire|see|pay) (?:if {ONE} (?:want|need) )?to {SOFT}",
    rf"(?:what|which) (?:kinds? of |sorts? of |other )?{TOOL} (?:{CAN} {ONE}|{ONE} {CAN}) "
    rf"(?:use |need |get |have |buy )?(?:in order )?to {SOFT}",
    rf"(?:what|which) {TOOL} (?:is|are) (?:best |needed |required |good )?(?:in order )?to {SOFT}",
    rf"why (?:is|was) (?:it|that) (?:so |considered )?{OKAY} (?:for {ONE} )?to {SOFT}",
    rf"(?:if|whether) {ONE} {CAN} {SOFT}",
    rf"(?:where|when) (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}",
    rf"what (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}"
    rf"(?:do|use|need|say|have to do|need to do|need to know) (?:in order )?to {SOFT}",
    rf"what (?:happens|would happen|will happen|could happen) (?:to me )?(?:if|when) {ONE} {SOFT}",
    rf"how (?:long|much|hard|easy|difficult|dangerous|risky) (?:does it (?:take|cost)|is it|would it (?:be|take|cost)) "
    rf"{FOR_ONE}to {SOFT}",
    rf"{I_WANT_TO} {SOFT}(?:{LEARN} how to )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|teach|show|train) (?:me|us) (?:how to |to )?",
    rf"{WILL_YOU} {SOFT}",
    rf"do you think (?:that )?(?:i|we) {CAN} {SOFT}",
    rf"(?:hypothetically,? )?if (?:i|you|we|someone) (?:wanted|want|were|needed|decided) to {SOFT}",
    rf"(?:let's|lets|let us) {SOFT}",
)

ING = (
    rf"{THE_BEST}(?:trick|key|secret|purpose|point|idea) {any_of('to', 'of', 'behind', 'in')} ",
    rf"{THE_BEST}{COST} {any_of('of', 'for', 'in', 'to', 'with')} ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:walk|guide|talk|take) (?:me|us) through ",
    rf"how {CAN} {ONE} {SOFT}go(?:ing)? about {SOFT}",
    rf"{THE_BEST}{WAY} {ABOUT} ",
    rf"{THE_BEST}{WAY} {FOR_ONE}(?:to|{ONE} {CAN}) {SOFT}go about {SOFT}",
    rf"(?:i|we) {WANT} (?:some |any |your )?(?:help|advice|tips|ideas|information|info) (?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:me|us) (?:out )?{ABOUT} ",
    r"(?:i'm|i am|i was|i've been|i have been) (?:thinking of|thinking about|considering|interested in|planning on) ",
)

NOUN = (
    rf"(?:{WILL_YOU} )?{SOFT}(?:show|give|send|find|draw|make|get) (?:(?:me|us) )?(?:an? |some )?{PICTURE} of ",
    rf"(?:(?:{WILL_YOU} )?{SOFT}(?:tell|give|show) (?:me|us) |what{IS} )the (?:price|cost) of ",
    r"how much (?:is|are) ",
    r"(?:who|(?:what|which) (?:website|site|store|stores|shop|shops|company|companies|place|places)) "
    r"(?:sells|sell|makes|make|has|have|rents|rent) ",
    r"do (?:they|you|stores|shops|people) (?:sell|make) ",
    rf"where (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}{FIND} ",
    rf"what{IS} ",
    rf"what exactly {any_of('is', 'are')} ",
    rf"(?:{WILL_YOU} )?{SOFT}tell (?:me|us) (?:more |something |everything )?about ",
    r"what (?:can|could|do) you (?:tell me|know) about ",
    r"do you know (?:anything|much|a lot|something) about ",
    r"do you (?:know|have) (?:of )?(?=any )",
    rf"(?:{WILL_YOU} )?{SOFT}{GIVE} (?:me|us) (?:with )?",
    r"(?:i'm|i am) (?:looking|searching) for ",
)
WORKS = (r"how (?:much )?(?:do|does) (?=[^?!.]* (?:work|cost)s?\b)",)


def _compile() -> Iterator[tuple[re.Pattern[str], Form]]:
    groups: tuple[tuple[Form, tuple[str, ...]], ...] = (("ing", ING), ("base", BASE), ("noun", NOUN), ("works", WORKS))
    for form, questions in groups:
        for question in questions:
            yield re.compile(f"{GREETING}(?:{ASK}){{0,2}}{question}", re.IGNORECASE), form


OPENERS = tuple(_compile())


def match_opener(text: str) -> tuple[int, list[Form]]:
    """Return where the phrase begins and the forms it may have; (0, []) for an unknown opener.

    The longest opener counts: "I want to learn how to" also begins with "I want to".
    """
    ends = [(match.end(), form) for pattern, form in OPENERS if (match := pattern.match(text))]
    start = max((end for end, _ in ends), default=0)
    return start, list(dict.fromkeys(form for end, form in ends if end == start))
