"""Questions about what others do: "How do thieves steal lamps?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sea_core.extraction.english import FUNCTION_WORDS, is_base_verb
from sea_core.extraction.rules.nouns import PEOPLE, is_noun, is_subject
from sea_core.extraction.rules.opener import BEGINNING, Form, Opener, without_role
from sea_core.extraction.rules.verb_phrases import is_passive
from sea_core.extraction.rules.vocabulary import GREETING, OKAY, ONE, REASON, any_in, any_of

MAX_SUBJECT = 6
"""Words of a subject: "people in my street"."""
WORD = re.compile(r"[\w'-]+,? ")
ADVERB = re.compile(r"\w+ly $")
SINGULAR = frozenset("does doesn't is was isn't wasn't".split())
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
GIVEN = any_in("given, granted, denied, offered, sold, handed, paid(?! (?:to|for|by|in|less|more|attention) )")
PLACE = any_in("near, in, into, on, at, inside")
RIGHT = "(?:(?:so |much )*(?:more |less ))?" + any_in(
    "likely, right, wrong, justified, allowed, able, unable, permitted, entitled, "
    "forced, willing, supposed, required, expected, free, fit, unfit, qualified, unqualified"
)
REASONS = rf"(?:what(?: are|'re) )?{REASON}"
POWER = any_in("power, right, freedom, ability, chance, opportunity")
CHANCES = rf"(?:\w+ )?(?:a |the )?{any_of(POWER, 'opportunities', 'rights', 'reasons?')}"
MEANS = any_in("use, take, employ, follow, need")
GETTING = any_in("receive, lose, deserve(?! to ), lack, face, be subject to")

# What may stand between the subject and the phrase, and the form of the phrase after it.
Continuation = tuple[str, Form]
AFTER_AUXILIARY: tuple[Continuation, ...] = (
    (rf"(?:not )?(?:be {FREE} to )?(?:own|possess) ", "noun"),
    (
        rf"(?:not )?(?:be {FREE}|(?:have|lack|be {GIVEN}) (?:the )?(?:\w+ )?{POWER}|"
        r"(?:always |still )?(?:need|try|manage|want|have|get|deserve|tend)) to ",
        "base",
    ),
    (rf"(?:not )?(?:be {BARRED} from|go about|get away with|be punished for) (?=\w+ing\b)", "ing"),
    (
        rf"(?:not )?(?:be {GIVEN}|have access to|be {BARRED} (?:off|out of|from)|be {FREE} {PLACE}|{GETTING}) ",
        "noun",
    ),
    (r"(?:not )?have (?!(?:sex|fun|kids|children|an affair|someone|somebody|others|people)\b)", "noun"),
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
    (rf"(?:{MODAL} (?:not |then )?)?{OFTEN}(?:be {GIVEN}|have access to|{GETTING}) ", "noun"),
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
            (r"(?:not )?to (?:not )?(?:have|own|receive) (?!(?:to|sex|fun|kids|children|the|a)\b)", "noun"),
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
        rf"(?P<auxiliary>do you (?:really )?(?:think|believe)|is it (?:really )?(?:true|{OKAY})|is there evidence) "
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
            (rf"(?:not |never )?(?:{FREE} {PLACE}|{GIVEN}|{BARRED} (?:off|out of|from)) ", "noun"),
            (r"(?:not )?(?:so |much |such )*(?:good|bad|better|worse) at (?=\w+ing\b)", "ing"),
            (r"(?:always |still |constantly )?(?=\w+ing \w)", "ing"),
        ),
    ),
    (
        rf"(?:what|which) (?:[\w'-]+ ){{1,3}}?(?P<auxiliary>{AUXILIARY}) ",
        ((rf"{MEANS}(?: in order)? to (?:\w+ly )?", "base"),),
    ),
    (
        rf"(?:{REASONS} )?(?P<auxiliary>why|how) ",
        ((rf"{MODAL} (?:not |then )?(?:\w+ly )?", "base"),),
    ),
    (
        r"(?P<auxiliary>do|does|did|can|could|will|would) ",
        (
            (rf"(?:ever |really |still |not )*(?:be {FREE}|deserve|have (?:the )?(?:\w+ )?{POWER}) to ", "base"),
            (rf"(?:really |still |not )*(?:{GETTING}) ", "noun"),
        ),
    ),
    (
        r"(?P<auxiliary>is|are|was|were) ",
        (
            (rf"(?:ever |really |still |not )*(?:{RIGHT}|{FREE}) to ", "base"),
            (
                r"(?:ever |really |so )*(?:justified in|guilty of|good at|bad at|better at|worse at) "
                r"(?=\w+ing\b)",
                "ing",
            ),
        ),
    ),
)
OPINION = re.compile(
    rf"{GREETING}(?P<auxiliary>(?:(?:i (?:really |just )?(?:think|believe|say)|in my opinion),? (?:that )?)?)"
    rf"(?!{ONE} )",
    re.IGNORECASE,
)
DEMANDS: tuple[Continuation, ...] = (
    (rf"(?:should|must|ought to|need to|have to) (?:not |never )?be {FREE} to ", "base"),
    (
        r"(?:should|shouldn't|must|ought to|need to|have to) (?:not |never |just |simply |really |all |"
        r"always )*(?!be (?:allowed|permitted)\b)",
        "base",
    ),
)
DEMANDED = tuple((re.compile(between, re.IGNORECASE), form) for between, form in DEMANDS)
PATTERNS = tuple(
    (
        re.compile(BEGINNING + question, re.IGNORECASE),
        tuple((re.compile(between, re.IGNORECASE), form) for between, form in continuations),
    )
    for question, continuations in QUESTIONS
)
# After these words, one verb is enough: "Why do cats always hide?".
FIRM = re.compile(r"\b(?:not|always|often|constantly) |n't | to $", re.IGNORECASE)
# What happens to its subject cannot be told without it: "How did the owl die?".
HAPPENING = re.compile(
    r"(?:cause|cure|lead|contribute|"
    r"die|get \w+ed|happen|end|exist|become|live|lose|win|survive)\b(?! (?:on|in|without|for)\b)",
    re.IGNORECASE,
)
# "combat skills be rated": the verb comes later, so "combat" is none.
LATER_VERB = re.compile(
    r"(?<!to)(?<!can)(?<!could)(?<!will)(?<!would)(?<!should)(?<!might)(?<!may)(?<!must)(?<!not) be ", re.IGNORECASE
)


def match_question_about_others(text: str) -> Opener | None:
    """Return the opener of a question whose subject is a noun phrase, or None.

    The detoxified instruction says "people" or "someone" instead: the subject may express the harm in other words than
    the phrase's.
    """
    for pattern, continuations in PATTERNS:
        if question := pattern.match(text):
            for subject, end in _subjects(text, question.end()):
                for between, form in continuations:
                    found = between.match(text, end)
                    if found and _may_follow(text[found.end() :], form, found[0]):
                        return _opener(text, question, subject, found, form)
    return None


def match_demand_of_others(text: str) -> Opener | None:
    """Return the opener of a statement that a noun phrase should do something, or None: "Thieves should leave"."""
    begin = OPINION.match(text)
    if not begin:
        return None
    for subject, end in _subjects(text, begin.end()):
        for between, form in DEMANDED:
            found = between.match(text, end)
            if found and _may_follow(text[found.end() :], form, found[0]):
                return _opener(text, begin, subject, found, form)
    return None


def _subjects(text: str, begin: int) -> Iterator[tuple[list[str], int]]:
    """Yield the noun phrases that may be the subject, each with where it ends; the shortest first."""
    words: list[str] = []
    for word, _ in zip(WORD.finditer(text, begin), range(MAX_SUBJECT), strict=False):
        words.append(word[0].strip(" ,"))
        # "rice": a plural verb cannot follow, but "not" may, after an auxiliary.
        if is_subject(words) or (is_noun(words[-1]) and text.startswith(("not ", "be "), word.end())):
            yield words, word.end()


def _may_follow(rest: str, form: Form, between: str) -> bool:
    """Return whether a phrase of the form may begin here, after what precedes it."""
    first = re.match(r"[\w'-]+", rest)
    if not first or form != "base":
        return first is not None and not (form == "ing" and first[0][0].isupper())
    is_firm = bool(FIRM.search(between))
    if not is_firm and (len(rest.split()) < 2 or HAPPENING.match(rest)):
        return False
    is_name = first[0][0].isupper()
    is_verb = is_base_verb(first[0]) and first[0].lower() not in (FUNCTION_WORDS - {"do", "have"}) | PEOPLE
    is_verb = is_verb and not is_name
    return is_passive(rest.split()) or (is_verb and not LATER_VERB.search(rest))


def _opener(text: str, question: re.Match[str], subject: list[str], between: re.Match[str], form: Form) -> Opener:
    adverb = ADVERB.search(between[0])
    end = between.end() - (len(adverb[0]) if adverb else 0)
    if len(subject) == 1 and subject[0].lower() in PEOPLE:
        others = subject[0]
    elif question.re is not OPINION and (question["auxiliary"] or "is").lower() in SINGULAR:
        others = "someone"
    else:  # "people" would leak from a phrase that has the word
        others = "they" if re.search(r"\b(?:people|person)\b", text, re.IGNORECASE) else "people"
    return Opener(
        end, (form,), f"{without_role(text[: question.end()])}{others} {text[between.start() : end]}", " ".join(subject)
    )
