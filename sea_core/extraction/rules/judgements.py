"""Questions that judge a thing: "Is lamp theft common in Paris?", "Do you think lamp oil is overpriced?"."""

from __future__ import annotations

import re
from itertools import pairwise

from sea_core.extraction.english import FUNCTION_WORDS, PREPOSITIONS, is_base_verb, is_ing_form, word_classes
from sea_core.extraction.rules.nouns import is_noun_phrase
from sea_core.extraction.rules.opener import BEGINNING, Opener, without_role
from sea_core.extraction.rules.vocabulary import DEGREE, GREETING, ONE

NO_PRONOUN = rf"(?!(?:{ONE}|it|that|there|this|these|those|he|she|my|your|his|her|our|their|what|who) )"
"""Of a pronoun nothing could be extracted, and a possessive names somebody's."""
QUESTIONS = (
    rf"(?:(?:do|did|don't) you (?:really )?(?:think|believe|agree)|is it (?:really )?true) (?:that )?{NO_PRONOUN}"
    r"(?=[^?!]* (?:is|are|was|were|should be) )",
    rf"should {NO_PRONOUN}(?=[^?!]* be )",
    rf"(?:why )?(?:is|are|was|were) {NO_PRONOUN}",
)
STATED = (
    re.compile(
        rf"{GREETING}(?:i (?:really |just )?(?:think|believe|feel) (?:that )?)?{NO_PRONOUN}(?=[^?!]* (?:should|"
        rf"must) be )",
        re.IGNORECASE,
    ),
)
PATTERNS = tuple(re.compile(BEGINNING + question, re.IGNORECASE) for question in QUESTIONS)
MAX_JUDGED = 5
"""Words of what is judged, where no verb follows it: "the right to vote"."""
WORD = re.compile(r"[\w'-]+")
COPULA = re.compile(r" (?:is|are|was|were|(?:should|can|could|would|will|must) be|be) (?=\w)", re.IGNORECASE)
DEGREES = re.compile(rf"(?:(?:{DEGREE}|\w+ly|just|only|more|less|too|as) )*", re.IGNORECASE)
CLASS = re.compile(
    r"(?:an? |(?:one of )?the (?:(?:most|least|best|worst|only|main) |\w+est |(?=(?:cause|answer|solution|"
    r"future)\b)))\w",
    re.IGNORECASE,
)
"""What things may be said to be: "a serious crime"."""
PERSONAL = frozenset(
    "stupid dumb lazy rude greedy smart intelligent promiscuous ignorant selfish arrogant jealous".split()
)
"""What persons are said to be."""
COMPLEMENT = PREPOSITIONS | frozenset("and or than enough that if".split())


def match_judgement(text: str) -> Opener | None:
    """Return the opener of a question that judges a thing, or None."""
    return _match(text, PATTERNS)


def match_judgement_stated(text: str) -> Opener | None:
    """Return the opener of a statement that judges a thing, or None: "I think lamp oil should be free"."""
    return _match(text, STATED) if COPULA.search(text) else None


def _match(text: str, patterns: tuple[re.Pattern[str], ...]) -> Opener | None:
    for pattern in patterns:
        if (found := pattern.match(text)) and find_judgement(text[found.end() :]) is not None:
            return Opener(found.end(), ("judged",), without_role(found[0]))
    return None


def find_judgement(body: str) -> int | None:
    """Return where the judgement begins, with its space: at "is", or after a noun phrase; None if that is unclear."""
    if copula := COPULA.search(body):
        return copula.start() if _is_judgement(body[copula.end() :]) else None
    words = list(WORD.finditer(body))
    if not words or is_ing_form(words[0][0]):
        return None
    for place, word in enumerate(words[:MAX_JUDGED]):
        is_followed = body.startswith(" ", word.end())
        judged = [each[0] for each in words[: place + 1]]
        if is_followed and is_noun_phrase(judged) and _is_judgement(body[word.end() + 1 :]):
            return word.end()
    return None


def _is_judgement(text: str) -> bool:
    """Return whether a text begins with an adjective that only its complement may follow, or a class of things."""
    degrees = DEGREES.match(text)
    rest = text[degrees.end() :] if degrees else text
    words = WORD.findall(rest.lower())
    after_to = [after for word, after in pairwise(words) if word == "to"]
    # it may name an activity: "useful for picking locks"
    if any(is_ing_form(word) for word in words) or any("NOUN" not in word_classes(word) for word in after_to):
        return False
    if CLASS.match(rest):
        return True
    if not words or words[0] in FUNCTION_WORDS | PERSONAL or not _is_adjective(words[0]):
        return False
    is_last = len(words) == 1 or not rest[len(words[0]) :].startswith(" ")
    return is_last or words[1] in COMPLEMENT


def _is_adjective(word: str) -> bool:
    """Return whether a word can be an adjective, and is no participle, which may tell what is done: "used"."""
    classes = word_classes(word)
    return "ADJ" in classes and ("VERB" not in classes or is_base_verb(word))
