"""Questions about what others do: "How do thieves steal lamps?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sea_core.extraction.english import (
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    is_base_verb,
    lemmas,
    word_classes,
)
from sea_core.extraction.rules.no_products import names_person
from sea_core.extraction.rules.nouns import (
    LINKS,
    PEOPLE,
    is_noun,
    is_noun_phrase,
    is_plural,
    is_subject,
    names_persons,
    without_capital,
)
from sea_core.extraction.rules.opener import BEGINNING, Form, Opener, without_role
from sea_core.extraction.rules.subject_questions import DEMANDED, OPINION, QUESTIONS
from sea_core.extraction.rules.verb_phrases import is_passive
from sea_core.extraction.rules.vocabulary import WAYS

ANYBODY = frozenset(
    "people persons person everyone everybody someone somebody anyone anybody they folks human humans individuals "
    "i you we".split()
)
"""Subjects that say nothing about whom a claim is: whoever does it."""
QUANTIFIERS = frozenset("a an some many most all so other any the".split())
MAX_SUBJECT = 6
"""Words of a subject: "people in my street"."""
WORD = re.compile(r"[\w'-]+,? ")
OFFENDERS = frozenset(
    "thief criminal cybercriminal terrorist hacker trafficker smuggler scammer fraudster cartel gang syndicate "
    "extremist killer murderer burglar robber kidnapper rapist dealer dictator attacker abuser pedophile stalker "
    "poacher mafia mobster hitman hitmen counterfeiter launderer predator arsonist vandal bully offender".split()
)
POINTING = frozenset("this that these those".split())
CONTRACTED = frozenset("it's that's there's what's who's he's she's".split())
ADVERB = re.compile(r"\w+ly $")
# With the subject these belong to the phrase, which is one piece: "(Why do) bakers always steal lamps".
FREQUENCY = re.compile(r"(?:(?:\w+ly|even|always|often|still|just) )+$", re.IGNORECASE)
SINGULAR = frozenset("does doesn't is was isn't wasn't has".split())
PLURAL = frozenset("do don't are were aren't weren't have".split())
PLURAL_PERSONS = frozenset("people men women children police folks".split())
PATTERNS = tuple(
    (
        re.compile(f"{BEGINNING}(?:{question})", re.IGNORECASE),
        tuple((re.compile(between, re.IGNORECASE), form) for between, form in continuations),
    )
    for question, continuations in QUESTIONS
)
ANY_QUESTION = re.compile(
    f"{BEGINNING}(?:{'|'.join(question.replace('?P<auxiliary>', '?:') for question, _ in QUESTIONS)})", re.IGNORECASE
)
# "Is it okay for bakers to ...": the verb of the question does not agree with the bakers.
FOR_IT = re.compile(r"\b(?:for|it take) $", re.IGNORECASE)
COUNTED = re.compile(r"\bso (?:many|few) $", re.IGNORECASE)
# After these words, one verb is enough: "Why do cats always hide?".
FIRM = re.compile(r"\b(?:not|always|often|constantly) |n't |\bto $", re.IGNORECASE)
# In a question with these, a verb must follow the subject.
ASKED = re.compile(
    r"\b(?:can|could|should|would|must|may|might|will|do|does|did)(?:n't)? $|\bcan't $|\bwon't $", re.IGNORECASE
)
DO = re.compile(r"\b(?:do|does|did)(?:n't)? $", re.IGNORECASE)
# "Do bakers steal?": of things, the verb may name a state ("Do lamps contain oil?").
BARE = re.compile(
    r"(?!.*\b(?:how|why|when|where|what|which)\b).*\b(?:do|does|did|can|could|will|would|is|are|was|were|has|have) $",
    re.IGNORECASE,
)
DEMAND = re.compile(r"should|must|ought|need|have", re.IGNORECASE)
OF_WAYS = re.compile(rf"\b{WAYS} for $", re.IGNORECASE)
MODAL = re.compile(r"(?:\b(?:can|could|should|would|must|might)|n't) $", re.IGNORECASE)
# What happens to its subject cannot be told without it: "How did the owl die?".
HAPPENING = re.compile(
    r"(?:cause|cure|lead|contribute|"
    r"smell|stink|look|seem|stay|remain|die|get \w+ed|happen|end|exist|become)\b(?! (?:on|in|at|home|without|for)\b)|"
    r"(?:begin|start|occur|arise|originate)\W*$",
    re.IGNORECASE,
)
# "combat skills be rated": the verb comes later, so "combat" is none.
LATER_VERB = re.compile(
    r"(?<!to)(?<!can)(?<!could)(?<!will)(?<!would)(?<!should)(?<!might)(?<!may)(?<!must)(?<!not) be ", re.IGNORECASE
)


def match_question_about_others(text: str) -> Opener | None:
    """Return the opener of a question whose subject is a noun phrase, or None.

    The subject belongs to the phrase: "Why do bakers steal lamps?" is a claim about bakers, and "lamp thieves" express
    the harm in other words. The detoxified instruction says "people", "someone" or "they".
    """
    if not ANY_QUESTION.match(text):
        return None
    for pattern, continuations in PATTERNS:
        if question := pattern.match(text):
            for subject, end in _subjects(text, question.end()):
                for between, form in continuations:
                    found = between.match(text, end)
                    if not found or not _may_follow(text[found.end() :], form, found[0], question[0]):
                        continue
                    is_of_thing = BARE.match(question[0]) and not found[0].strip() and not _names_persons(subject)
                    is_of_thing = is_of_thing or _is_lone_fact(text[found.end() :], question[0] + found[0], subject)
                    is_of_thing = is_of_thing or (found[0].startswith("to ") and _is_object_of(question[0], subject))
                    if not is_of_thing:
                        return _opener(text, question, subject, found, form)
    return None


def _is_lone_fact(rest: str, question: str, subject: list[str]) -> bool:
    """Return whether a lone verb after "do" says what happens to things, and no activity: "Why do lamps glow?"."""
    return len(rest.split()) < 2 and bool(DO.search(question)) and not _names_persons(subject)


def match_demand_of_others(text: str) -> Opener | None:
    """Return the opener of a statement that a noun phrase should do something, or that persons do, or None."""
    begin = OPINION.match(text)
    if not begin:
        return None
    for subject, end in _subjects(text, begin.end()):
        for between, form in DEMANDED:
            found = between.match(text, end)
            if not found or not _may_follow(text[found.end() :], form, found[0]):
                continue
            if DEMAND.match(found[0]) or _are_persons(subject):
                return _opener(text, begin, subject, found, form)
    return None


def _are_persons(subject: list[str]) -> bool:
    """Return whether the subject of a statement names a group of persons; its first word has a capital in any case."""
    *before, last = (word.lower() for word in subject)
    return (
        len(before) < 2
        and last not in PEOPLE
        and not any(is_plural(word) for word in before)
        and is_plural(last)
        and names_persons(" ".join((*before, last)))
    )


def _is_object_of(question: str, subject: list[str]) -> bool:
    """Return whether things after "for" may be the object of the verb that follows: "ideas for PRANKS to play"."""
    return bool(OF_WAYS.search(question)) and not _names_persons(subject)


def _names_persons(subject: list[str]) -> bool:
    return names_persons(" ".join(subject)) or names_person(_head(subject).lower())


def _subjects(text: str, begin: int) -> Iterator[tuple[list[str], int]]:
    """Yield the noun phrases that may be the subject, each with where it ends; the shortest first."""
    words: list[str] = []
    for word, _ in zip(WORD.finditer(text, begin), range(MAX_SUBJECT), strict=False):
        words.append(word[0].strip(" ,"))
        if words[-1].lower() in CONTRACTED or words[0].lower() in POINTING:
            return
        # "rice": a plural verb cannot follow, but "not" may, after an auxiliary.
        is_mass = is_noun(words[-1]) and text.startswith(("not ", "be "), word.end())
        if is_subject(words) or is_mass or _is_mass_with_verb(text, begin, word.end(), words):
            yield words, word.end()


def _is_mass_with_verb(text: str, begin: int, end: int, words: list[str]) -> bool:
    """Return whether words without an article are a subject since a verb with its object follows: "can't RICE sing"."""
    after = text[end:].split()[:2]
    if not MODAL.search(text[:begin]) or not is_noun_phrase(words) or len(after) < 2 or not is_base_verb(after[0]):
        return False
    follower = after[1].lower().strip("?.!")
    return follower in DETERMINERS | PREPOSITIONS | PRONOUNS or is_plural(follower)


def _may_follow(rest: str, form: Form, between: str, question: str = "") -> bool:
    """Return whether a phrase of the form may begin here, after the question and what precedes it."""
    first = re.match(r"[\w'-]+(?! (?:is|are|was|were|has)\b)", rest)  # "the lamp BAN is ...": no verb
    if first and form == "past" and "VERB" not in word_classes(first[0]):
        return False
    if not first or form != "base":
        return first is not None and not (form == "ing" and first[0][0].isupper())
    is_firm = bool(FIRM.search(between))
    is_lone = len(rest.split()) < 2 and not ASKED.search(question + between)
    if not is_firm and (is_lone or HAPPENING.match(rest)):
        return False
    is_name = first[0][0].isupper()
    is_verb = is_base_verb(first[0]) and first[0].lower() not in (FUNCTION_WORDS - {"do", "have"}) | PEOPLE
    is_verb = is_verb and not is_name
    return is_verb and not is_passive(rest.split()) and not LATER_VERB.search(rest)


def _opener(text: str, question: re.Match[str], subject: list[str], between: re.Match[str], form: Form) -> Opener:
    adverb = ADVERB.search(between[0])
    end = between.end() - (len(adverb[0]) if adverb else 0)
    if {word.lower() for word in subject} <= ANYBODY | QUANTIFIERS:
        head = f"{without_role(text[: question.end()])}{' '.join(subject)} {text[between.start() : end]}"
        return Opener(end, (form,), head, " ".join(subject))
    if form == "base" and FREQUENCY.fullmatch(between[0]):
        end = between.start()
    be = _be_of(question, subject, between)
    others = _others(subject, be == "are", text)
    if others == "they" and (FOR_IT.search(question[0]) or COUNTED.search(question[0])):
        others = "them" if FOR_IT.search(question[0]) else "of them"
    head = f"{without_role(text[: question.end()])}{others} {text[between.start() : end]}"
    begins = question.end() == 0
    named = text[question.end() : between.start()].strip(" ,")  # with its commas: "my friend, Al"
    who = without_capital(named) if begins else named
    return Opener(end, (form,), head, " ".join(subject), f"{who} {be}")


def _be_of(question: re.Match[str], subject: list[str], between: re.Match[str]) -> str:
    """Return the form of "be" that agrees with the subject: by the verb of the question, else by the noun."""
    is_of_it = question.re is OPINION or FOR_IT.search(question[0])
    auxiliary = "" if is_of_it else (question["auxiliary"] or "").lower()
    if "and" in subject:
        return "are"
    for verb in (auxiliary, between[0].partition(" ")[0].lower()):
        if verb in SINGULAR or verb in PLURAL:
            return "is" if verb in SINGULAR else "are"
    last = _head(subject)
    if subject[0].lower() == "the" and last[0].isupper():  # "the United States"
        return "is"
    is_adjective = subject[0].lower() == "the" and "NOUN" not in word_classes(last)  # "the rich"
    return "are" if is_adjective or is_plural(last) or last.lower() in PLURAL_PERSONS else "is"


def _head(subject: list[str]) -> str:
    """Return the last word of a noun phrase before what a preposition adds: "owls" of "owls in my street"."""
    end = next((at for at, word in enumerate(subject) if at and word.lower() in LINKS), len(subject))
    return subject[end - 1]


def _others(subject: list[str], is_plural_subject: bool, text: str) -> str:
    """Return what stands for the subject in the detoxified instruction; "people" would leak from a phrase with it."""
    if not is_plural_subject:
        return "someone"
    head = _head(subject)
    are_persons = lemmas(head) & OFFENDERS or names_persons(" ".join(subject)) or head.lower() in PEOPLE
    return "they" if not are_persons or re.search(r"\b(?:people|person)\b", text, re.IGNORECASE) else "people"
