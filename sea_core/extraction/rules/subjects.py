"""Questions about what others do: "How do thieves steal lamps?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sea_core.extraction.english import FUNCTION_WORDS, is_base_verb, lemmas, word_classes
from sea_core.extraction.rules.nouns import (
    LINKS,
    PEOPLE,
    is_noun,
    is_plural,
    is_subject,
    names_persons,
    without_capital,
)
from sea_core.extraction.rules.opener import BEGINNING, Form, Opener, without_role
from sea_core.extraction.rules.verb_phrases import is_passive
from sea_core.extraction.rules.vocabulary import GREETING, HOW_GOOD, OKAY, ONE, REASON, any_in, any_of

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
CONTRACTED = frozenset("it's that's there's what's who's he's she's".split())
ADVERB = re.compile(r"\w+ly $")
# With the subject these belong to the phrase, which is one piece: "(Why do) bakers always steal lamps".
FREQUENCY = re.compile(r"(?:(?:\w+ly|even|always|often|still|just) )+$", re.IGNORECASE)
SINGULAR = frozenset("does doesn't is was isn't wasn't has".split())
PLURAL = frozenset("do don't are were aren't weren't have".split())
PLURAL_PERSONS = frozenset("people men women children police folks".split())
AUXILIARY = any_in(
    "do, does, did, don't, doesn't, didn't, can, could, would, should, might, may, will, must, can't, couldn't, "
    "shouldn't, won't"
)
MODAL = any_in(
    "cannot, can, could, should, would, might, may, will, must, do, can't, couldn't, shouldn't, wouldn't, won't, don't"
)
FREE = any_in("allowed, permitted, able, forced, required, made, encouraged, taught, trained, paid, expected")
BARRED = any_in(
    "barred, banned, prevented, stopped, excluded, kept, prohibited, discouraged, kicked, thrown, removed, taken"
)
GIVEN = any_in("given, granted, offered, sold, handed, paid(?! (?:to|for|by|in|less|more|attention) )")
RIGHT = "(?:(?:so |much )*(?:more |less ))?" + any_in(
    "likely, right, wrong, justified, allowed, able, unable, permitted, entitled, "
    "forced, willing, supposed, required, expected, free, fit, unfit, qualified, unqualified"
)
REASONS = rf"(?:what(?: are|'re) )?{REASON}"
POWER = any_in("power, right, freedom, ability, chance, opportunity")
CHANCES = rf"(?:\w+ )?(?:a |the )?{any_of(POWER, 'opportunities', 'rights', 'reasons?')}"
MEANS = any_in("use, take, employ, follow, need")

# What a group has is no activity, but it belongs to the phrase too: "bakers with red noses".
HAVE = r"have (?!(?:to|sex|fun|kids|children|an affair|someone|somebody|others|people|access)\b)"

# What may stand between the subject and the phrase, and the form of the phrase after it.
Continuation = tuple[str, Form]
AFTER_AUXILIARY: tuple[Continuation, ...] = (
    (
        rf"(?:not )?(?:be {FREE}|(?:have|lack|be {GIVEN}) (?:the )?(?:\w+ )?{POWER}|"
        r"(?:always |still )?(?:need|try|manage|want|have|get|deserve|tend)) to ",
        "base",
    ),
    (rf"(?:not )?(?:be {BARRED} from|go about|get away with|be punished for) (?=\w+ing\b)", "ing"),
    (r"(?:first |ever )*(?:start|begin|stop|keep|quit|enjoy|love|like|hate) (?=\w+ing \w)", "ing"),
    (rf"(?:not )?{HAVE}", "noun"),
    (r"(?:not |really |actually |ever |just |even |always |still |often |never )*(?:\w+ly )?", "base"),
)
OFTEN = r"(?:always |often |never (?![^?!.]* and )|still |just |really |all )*"
# After the subject of a clause: "(Do you think that) thieves (should be allowed to) ...".
DECLARATIVE: tuple[Continuation, ...] = (
    (rf"{MODAL} (?:not )?be {FREE} to ", "base"),
    (rf"(?:{MODAL} (?:not |then )?)?{OFTEN}have {CHANCES} to ", "base"),
    (rf"(?:are|were|aren't|weren't) (?:not |really |all )*(?:{RIGHT}|[\w-]+ enough|too [\w-]+) to ", "base"),
    (r"(?:are|were) (?:not )?(?:so |much |such )*(?:good|bad|better|worse) at (?=\w+ing\b)", "ing"),
    (r"(?:are|were) (?:always |still |constantly )?(?=\w+ing \w)", "ing"),
    (rf"(?:{MODAL} (?:not )?)?have (?=(?:fewer|less|more|equal|the same|special|no) )", "noun"),
    (
        rf"(?:{MODAL} (?:not |then )?)?{OFTEN}"
        r"(?:(?:have|need|try|manage|want|get|deserve|tend) to )?(?:\w+ly )?",
        "base",
    ),
)
QUESTIONS: tuple[tuple[str, tuple[Continuation, ...]], ...] = (
    (f"(?:how|why|when|where) (?P<auxiliary>{AUXILIARY}) ", AFTER_AUXILIARY),
    (
        rf"(?:(?:{REASONS} )?why|how) (?:(?P<auxiliary>is|was) it|it (?:is|was)) "
        rf"(?:not )?{OKAY} for ",
        (
            (rf"(?:not )?to (?:not )?{HAVE}(?!(?:the|a)\b)", "noun"),
            (rf"(?:not )?to (?:not )?(?:(?:have|be given) (?:the )?(?:\w+ )?{POWER} to )?", "base"),
        ),
    ),
    (
        rf"(?P<auxiliary>is|was|would) it (?:be )?(?:ever |really )?{OKAY} for ",
        ((r"to (?:not )?(?:\w+ly )?", "base"),),
    ),
    (
        "(?P<auxiliary>should) ",
        (
            (rf"(?:not )?be {FREE} to ", "base"),
            (r"(?:not |really |actually |ever |always |still )*(?:\w+ly )?(?!be )", "base"),
        ),
    ),
    (
        rf"(?P<auxiliary>how come|why is it (?:{OKAY} )?that|{REASONS}(?: for)? (?:why|that)|explain why) ",
        DECLARATIVE,
    ),
    (
        rf"(?P<auxiliary>do you (?:really )?(?:think|believe|agree)|did you know|is it (?:really )?(?:true|{OKAY})|"
        rf"is there evidence) "
        r"(?:that )?",
        DECLARATIVE,
    ),
    (
        r"what (?P<auxiliary>makes|made|drives|drove|motivates|motivated|led|leads|causes|caused|inspires|compels|"
        r"encourages|pushes|tempts|forces|gets|stops|prevents) ",
        ((r"(?:want )?(?:to )?(?:\w+ly )?", "base"), (r"from ", "ing")),
    ),
    (
        "(?:how|why|when) (?P<auxiliary>isn't|wasn't|aren't|weren't|is|was|are|were) ",
        (
            (rf"(?:not |never )?(?:\w+ly )?(?:{RIGHT}|{FREE}|taught|encouraged|banned from|told) to ", "base"),
            (r"(?:not )?(?:so |much |such )*(?:good|bad|better|worse) at (?=\w+ing\b)", "ing"),
            (r"(?:always |still |constantly )?(?=\w+ing \w)", "ing"),
        ),
    ),
    (
        rf"(?:what|which) (?:[\w'-]+ ){{1,3}}?(?P<auxiliary>{AUXILIARY}) ",
        ((rf"{MEANS}(?: in order)? to (?:\w+ly )?", "base"),),
    ),
    (
        rf"(?:{REASONS} )?(?P<auxiliary>why|how) (?!(?:many|much|long|often|far|to) )",
        ((rf"(?:{MODAL} (?:not |then )?)?(?:\w+ly )?", "base"),),
    ),
    (
        r"(?P<auxiliary>do|does|did|can|could|will|would) ",
        (
            (rf"(?:ever |really |still |not )*(?:be {FREE}|deserve|have (?:the )?(?:\w+ )?{POWER}) to ", "base"),
            (r"(?:really |actually |always |often |still |ever )*(?:\w+ly )?", "base"),
        ),
    ),
    (rf"(?P<auxiliary>(?:what are )?)(?:{HOW_GOOD} )*ways (?:that |in which )?", DECLARATIVE),
    (r"(?P<auxiliary>has|have) ", ((r"(?:ever |already |really |secretly )*(?!\w+ any |been )", "past"),)),
    (
        r"(?P<auxiliary>is|are|was|were) ",
        (
            (rf"(?:ever |really |still |not )*(?:{RIGHT}|{FREE}) to ", "base"),
            (r"(?:really |still |just |actually |secretly )*(?=\w+ing \w)", "ing"),
            (r"(?:more |less |so )*(?:prone|opposed|drawn) to ", "topic"),
            (
                r"(?:ever |really |so )*(?:justified in|guilty of|good at|bad at|better at|worse at) "
                r"(?=\w+ing\b)",
                "ing",
            ),
        ),
    ),
)
OPINION = re.compile(
    rf"{GREETING}(?P<auxiliary>(?:(?:i (?:really |just )?(?:think|believe|say)|in my opinion),? (?:that )?)?)(?:only )?"
    rf"(?!{ONE} )",
    re.IGNORECASE,
)
DEMANDS: tuple[Continuation, ...] = (
    (rf"(?:should|shouldn't|must|mustn't|ought to|need to|have to) (?:not |never )?be {FREE} to ", "base"),
    (
        r"(?:should|shouldn't|must|ought to|need to|have to) (?:not |never |just |simply |really |all |"
        r"always )*(?!be (?:allowed|permitted)\b)",
        "base",
    ),
)
# "Bakers always steal lamps.": what persons are said to do.
CLAIMS: tuple[Continuation, ...] = (
    (r"(?:can|can't|cannot|won't) (?:even |ever )?", "base"),
    (r"(?:always |only |just |all |still )*(?:(?:want|like|love|try) to )?(?:\w+ly )?", "base"),
)
DEMANDED = tuple((re.compile(between, re.IGNORECASE), form) for between, form in (*DEMANDS, *CLAIMS))
PATTERNS = tuple(
    (
        re.compile(BEGINNING + question, re.IGNORECASE),
        tuple((re.compile(between, re.IGNORECASE), form) for between, form in continuations),
    )
    for question, continuations in QUESTIONS
)
ANY_QUESTION = re.compile(
    f"{BEGINNING}(?:{'|'.join(question.replace('?P<auxiliary>', '?:') for question, _ in QUESTIONS)})", re.IGNORECASE
)
# "Is it okay for bakers to ...": the verb agrees with "it".
FOR_IT = re.compile(r"\bit\b.*\bfor $", re.IGNORECASE)
# After these words, one verb is enough: "Why do cats always hide?".
FIRM = re.compile(r"\b(?:not|always|often|constantly) |n't | to $", re.IGNORECASE)
# "Do bakers steal?": of things, the verb may name a state ("Do lamps contain oil?").
BARE = re.compile(
    r"(?!.*\b(?:how|why|when|where|what|which)\b).*\b(?:do|does|did|can|could|will|would|is|are|was|were|has|have) $",
    re.IGNORECASE,
)
DEMAND = re.compile(r"should|must|ought|need|have", re.IGNORECASE)
# What happens to its subject cannot be told without it: "How did the owl die?".
HAPPENING = re.compile(
    r"(?:cause|cure|lead|contribute|"
    r"smell|stink|look|seem|stay|remain|die|get \w+ed|happen|end|exist|become)\b(?! (?:on|in|without|for)\b)",
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
                    if not found or not _may_follow(text[found.end() :], form, found[0]):
                        continue
                    if not BARE.match(question[0]) or found[0].strip() or names_persons(" ".join(subject)):
                        return _opener(text, question, subject, found, form)
    return None


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


def _subjects(text: str, begin: int) -> Iterator[tuple[list[str], int]]:
    """Yield the noun phrases that may be the subject, each with where it ends; the shortest first."""
    words: list[str] = []
    for word, _ in zip(WORD.finditer(text, begin), range(MAX_SUBJECT), strict=False):
        words.append(word[0].strip(" ,"))
        if words[-1].lower() in CONTRACTED:
            return
        # "rice": a plural verb cannot follow, but "not" may, after an auxiliary.
        if is_subject(words) or (is_noun(words[-1]) and text.startswith(("not ", "be "), word.end())):
            yield words, word.end()


def _may_follow(rest: str, form: Form, between: str) -> bool:
    """Return whether a phrase of the form may begin here, after what precedes it."""
    first = re.match(r"[\w'-]+(?! (?:is|are|was|were|has)\b)", rest)  # "the lamp BAN is ...": no verb
    if not first or form != "base":
        return first is not None and not (form == "ing" and first[0][0].isupper())
    is_firm = bool(FIRM.search(between))
    if not is_firm and (len(rest.split()) < 2 or HAPPENING.match(rest)):
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
    if others == "they" and FOR_IT.search(question[0]):
        others = "them"
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
