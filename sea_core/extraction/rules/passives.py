"""Passive questions: "How were locks picked in the film?" asks about the activity of picking locks."""

from __future__ import annotations

import re
from typing import NamedTuple

from sea_core.extraction.english import ing_form, is_base_verb, is_ing_form, lemmas, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.nouns import is_noun_phrase, is_subject, without_capital
from sea_core.extraction.rules.opener import BEGINNING, Opener, without_role
from sea_core.extraction.rules.tails import split_tail
from sea_core.extraction.rules.third_person import as_others, third_person
from sea_core.extraction.rules.vocabulary import EXACTLY, GREETING, OKAY, ONE, REASON, any_in

DONE = re.compile(
    rf"{BEGINNING}(?:how{EXACTLY}|how (?:often|easily|\w+ly)|why|when|where) (?P<auxiliary>is|are|was|were) ",
    re.IGNORECASE,
)
HAS_BEEN_DONE = re.compile(f"{BEGINNING}(?P<auxiliary>has|have) ", re.IGNORECASE)
IS_DONE = re.compile(rf"{BEGINNING}(?P<auxiliary>is|are|was|were) (?!{ONE} )", re.IGNORECASE)
MODAL = any_in("should, can, could, must, may, might, will, would")
TO_BE_DONE = re.compile(
    rf"{BEGINNING}(?:(?:how{EXACTLY}|how (?:often|easily|\w+ly)|why|when|where) )?{MODAL} ", re.IGNORECASE
)
# "Do you think that lamps should be sold?"
BELIEVED = re.compile(
    rf"{BEGINNING}(?:do you (?:really )?(?:think|believe|agree)|is it {OKAY}|i (?:think|believe)|(?:{REASON} )?why|"
    rf"how(?! (?:many|much|long|often|far)\b)) (?:that )?",
    re.IGNORECASE,
)
# "Lamps should be sold."
DEMANDED = re.compile(f"{GREETING}(?=[^?!]* (?:should|must) )", re.IGNORECASE)
STATIVE = frozenset("called known considered made based located supposed born named related given".split())
"""Participles that tell of no activity of somebody, or that need more than what is done to whom."""
BE = re.compile(
    f"(?:(?:{MODAL} )?(?:not )?be |(?:was|were) (?:not )?|(?:(?:ever|already) )?been |being )", re.IGNORECASE
)
PLACES = frozenset("in at during under from on with for into inside near within after before across off out".split())
GIVING = frozenset("deny give grant offer sell hand".split())
"""Verbs that take whom and what: "be denied loans"."""
YOUR = re.compile(r"\byour\b(?! own\b)")
AGENT = re.compile(r"\bby (?!\w+ing\b)", re.IGNORECASE)


MAX_SUBJECT = 6
MODAL_BE = f"(?:{MODAL} be|was|were) "


class Passive(NamedTuple):
    """The parts of "locks picked in the film", or of "locks be picked"."""

    subject: str
    be: str
    base: str
    rest: str


def match_passive_demand(text: str) -> Opener | None:
    """Return the opener of a statement that something should be done to something, or None."""
    return _match(text, (DEMANDED, MODAL_BE))


def match_passive(text: str, is_asked_bare: bool = True) -> Opener | None:
    """Return the opener of a question about what is done to something, or None.

    "Was the lamp stolen?" has no question word; such questions may be excluded.
    """
    bare = ((IS_DONE, "(?:being )?"),) if is_asked_bare else ()
    return _match(
        text,
        (TO_BE_DONE, "(?:not )?be "),
        (DONE, "(?:being )?"),
        (BELIEVED, MODAL_BE),
        (HAS_BEEN_DONE, "(?:ever |already )?been "),
        *bare,
    )


def _match(text: str, *kinds: tuple[re.Pattern[str], str]) -> Opener | None:
    for pattern, be in kinds:
        found = pattern.match(text)
        parts = _split(split_tail(text[found.end() :], "passive")[0]) if found else None
        if found and parts and re.fullmatch(be, parts.be, re.IGNORECASE):
            return Opener(found.end(), ("passive",), without_role(_in_singular(found)))
    return None


def _in_singular(found: re.Match[str]) -> str:
    """Return the words before the phrase; the activity is one: "How was this activity done?"."""
    auxiliary = found.groupdict().get("auxiliary")
    if not auxiliary:
        return found[0]
    singular = {"are": "is", "were": "was", "have": "has"}
    return f"{found.string[: found.start('auxiliary')]}{singular.get(auxiliary.lower(), auxiliary.lower())} "


def passive_sentence(phrase: str) -> tuple[str, str]:
    """Return the sentence for what is done to something, and what stands for the phrase after its placeholder.

    "locks picked in a film" becomes "a person is picking locks in a film".

    Raises:
        ExtractionFailed: somebody else than "a person" may be named.
    """
    parts = _split(phrase)
    if not parts or AGENT.search(phrase):
        raise ExtractionFailed("the passive may name somebody who acts", phrase)
    whom = as_others(YOUR.sub("my", without_capital(parts.subject) + parts.rest))  # whoever asks is not who does it
    return (
        f"a person is {ing_form(parts.base)} {third_person(whom)}",
        f" {parts.be.replace('were', 'was')}done",
    )


def _split(phrase: str) -> Passive | None:
    """Return the parts of a noun phrase with a participle that can be nothing else; None for any other phrase."""
    words = phrase.split()
    for end in range(1, min(len(words), MAX_SUBJECT + 1)):
        subject, rest = words[:end], words[end:]
        found = BE.match(" ".join(rest) + " ")
        be, rest = (found[0], rest[len(found[0].split()) :]) if found else ("", rest)
        verb, after = (rest or [""])[0], rest[1:]
        base = _base(verb, bool(be))
        if base and _may_be_subject(subject):
            is_for = len(after) > 1 and after[0].lower() == "to" and is_base_verb(after[1])  # "used to open a shed"
            is_how = bool(after) and (after[0].lower() in ("more", "less") or after[0].endswith("ly"))
            is_closed = not after or is_for or is_how or (after[0].lower() in PLACES and len(after) > 1)
            if verb.lower() == "made" and (not after or after[0].lower() in PLACES):
                return Passive(" ".join(subject), be, base, "".join(f" {word}" for word in after))
            if verb.lower() == "allowed" and is_for:  # "lamps be allowed to burn"
                return None
            is_so = (
                bool(be) and len(after) > 1 and after[0].lower() in ("of", "as", "like", "to")
            )  # not "(are) used to it"
            is_given = (
                base in GIVING
                and bool(after)
                and (is_noun_phrase(after[:1]) or is_noun_phrase(after[:2]) or is_ing_form(after[0]))
            )
            is_at = len(after) == 1 and after[0].lower() in PLACES | {"against"}  # "be laughed at"
            if not (is_closed or is_so or is_given or is_at) or (verb.lower() in STATIVE and not is_given):
                return None
            if is_at:
                return Passive(f"{after[0]} {without_capital(' '.join(subject))}", be, base, "")
            return Passive(" ".join(subject), be, base, "".join(f" {word}" for word in after))
    return None


def _may_be_subject(words: list[str]) -> bool:
    """Return whether words are a noun phrase, which may begin with a participle: "stolen lamps"."""
    inner = words[1:] if len(words) > 1 and _base(words[0], is_after_be=False) else words
    return is_noun_phrase(inner) or is_subject(inner)


def _base(word: str, is_after_be: bool) -> str:
    """Return the base form of a past participle that can be nothing else, or an adjective after "be"; or ""."""
    word = word.lower()
    if word == "given":  # also a noun
        return "give"
    classes = word_classes(word) - ({"ADJ"} if is_after_be else set())
    if classes != {"VERB"} or is_base_verb(word) or not word.endswith(("ed", "en", "n", "t", "d")):
        return ""
    return min((lemma for lemma in lemmas(word) - {word} if is_base_verb(lemma)), default="")
