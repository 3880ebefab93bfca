"""The openers that the offline extractor knows: what an instruction says before its phrase.

An opener stays unchanged in the detoxified instruction. Its grammar is small: a greeting, up to two requests for
information, and the question itself, which determines the form of the phrase. The words are in `vocabulary.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from sea_core.extraction.rules.activity_questions import (
    ASKED,
    BASE,
    CONDITIONS,
    EFFECTS,
    EVENTS,
    ING,
    PAST,
    SIMPLE,
    STRANDED,
    WOULD_HAVE,
)
from sea_core.extraction.rules.imperatives import match_imperative
from sea_core.extraction.rules.judgements import match_judgement, match_judgement_stated
from sea_core.extraction.rules.opener import BEGINNING, Form, Opener, without_role
from sea_core.extraction.rules.passives import match_passive, match_passive_demand
from sea_core.extraction.rules.subjects import match_demand_of_others, match_question_about_others
from sea_core.extraction.rules.thing_questions import CAUSES, JUDGEMENTS, NOUN, TOPICS, WORKS
from sea_core.extraction.rules.vocabulary import (
    GREETING,
)

# Where nothing else is known, the activity may be the condition of a question: "Does it hurt a lamp if I drop it?".
UNDER_CONDITION = re.compile(
    rf"{BEGINNING}(?!(?:can|could|would|will) you )(?:what|which|how|will|would|does|do|can|could|is|are) "
    rf"[^?!.,]{{3,60}}? (?:if|when) (?:i|you|"
    rf"we|someone) "
    r"(?!(?:am|are|is|was|were|have|had) )(?!.*\b(?:it|its|they|them|their|he|him|his|she|her)\b)",
    re.IGNORECASE,
)
# Sentences that ask nothing are requests where no other sentence of the instruction is one.
SHOULD = (
    r"(?:i (?:really )?(?:think|believe|say|feel) (?:that )?)?(?:we|people|you|everyone|everybody|one|someone|"
    r"somebody|nobody) "
    r"(?:all |really |just )*(?:should|shouldn't|must|mustn't|can't|cannot|ought to|need to|have to) (?:all |just |"
    r"really |simply )*"
)
STATED: tuple[tuple[Form, str], ...] = (
    ("base", SHOULD),
    (
        "noun",
        r"(?:i (?:really |just )?(?:want|need|crave|would (?:really )?(?:like|love))|i'd (?:really )?(?:like|love)) "
        r"(?!to |you )",
    ),
    ("noun", r"(?:(?:i'm|i am) )?(?:looking|searching) for "),
    ("noun", r"(?:need|want) (?=(?:an?|some) )"),
    ("topic", r"(?=(?:the )?(?:(?:most|least) [\w-]+|best|\w+est) [^?!.]*[?!.]?$)"),
)
STATEMENTS = tuple((form, re.compile(GREETING + pattern, re.IGNORECASE)) for form, pattern in STATED)


def match_statement(text: str) -> tuple[Opener, ...]:
    """Return the openers of a sentence that asks nothing: "We should ...", "I want ...", "The best lamps for ..."."""
    found = ((form, pattern.match(text)) for form, pattern in STATEMENTS)
    openers = [Opener(match.end(), (form,), without_role(match[0])) for form, match in found if match]
    others = match_passive_demand(text) or match_judgement_stated(text) or match_demand_of_others(text)
    return (*openers, *filter(None, (others,)))


NEGATED = re.compile(
    rf"{GREETING}(?:why )?(is|are|was|were|do|does|did|would|should|could|have|has|ca(?=n't))(?P<not>n't) ",
    re.IGNORECASE,
)
QUESTIONS: tuple[tuple[Form, tuple[str, ...]], ...] = (
    ("ing", ING),
    ("act", EVENTS),
    ("stranded", STRANDED),
    ("base", BASE),
    ("asked", ASKED),
    ("noun", NOUN),
    ("topic", TOPICS),
    ("works", WORKS),
    ("judged", JUDGEMENTS),
    ("past", PAST),
    ("simple", SIMPLE),
    ("simple", WOULD_HAVE),
    ("effect", EFFECTS),
    ("causes", CAUSES),
    ("condition", CONDITIONS),
)


@cache
def _compile(*questions: str) -> re.Pattern[str]:
    """Compile the pattern of a sentence that begins with one of the questions."""
    return re.compile(f"{BEGINNING}(?:{'|'.join(questions)})", re.IGNORECASE)


def _match(text: str, questions: Sequence[str]) -> Iterator[re.Match[str]]:
    """Yield a match of each question that the text begins with.

    A pattern takes milliseconds to compile, and there are two hundred: those of half of the questions are only compiled
    when a text begins with one of these.
    """
    match = _compile(*questions).match(text)
    if match and len(questions) == 1:
        yield match
    elif match:
        half = len(questions) // 2
        yield from _match(text, questions[:half])
        yield from _match(text, questions[half:])


@lru_cache(maxsize=64)
def match_openers(text: str) -> tuple[Opener, ...]:
    """Return the openers that a sentence may have, the longest first; also of "Isn't it fun to ...?"."""
    if (openers := _match_openers(text)) or not (negated := NEGATED.match(text)):
        return openers
    start, end = negated.span("not")
    positive = _match_openers(text[:start] + text[end:])
    verb = re.compile(rf"\b{negated[1]}\b", re.IGNORECASE)
    heads = [verb.sub(rf"\g<0>{negated['not']}", opener.head, count=1) for opener in positive]
    return tuple(
        replace(opener, end=opener.end + end - start, head=head)
        for opener, head in zip(positive, heads, strict=True)
        if opener.end > start and negated["not"] in head
    )


def _match_openers(text: str) -> tuple[Opener, ...]:
    """Return the openers that a sentence may have, the longest first.

    "I want to learn how to" also begins with "I want to". Where none is known, the sentence may still be a question
    about others ("How do thieves ...") or an imperative.
    """
    ends: dict[int, list[Form]] = {}
    for form, questions in QUESTIONS:
        for match in _match(text, questions):
            if form not in ends.setdefault(match.end(), []):
                ends[match.end()].append(form)
    for forms in ends.values():  # a noun may name the activity: "methods of theft"
        forms += ["act"] if "ing" in forms else []
    openers = [Opener(end, tuple(forms), without_role(text[:end])) for end, forms in ends.items()]
    others = match_question_about_others(text)
    is_judged = any("judged" in opener.forms for opener in openers)
    is_done = not others or (text.startswith("be ", others.end) and not re.search(r"\bwhy\b", others.head, re.I))
    if is_done and (passive := match_passive(text, is_asked_bare=not is_judged)):
        # "How people should be taught?": what is done, and to whom
        openers = [passive, *(opener for opener in openers if not text.startswith("be ", opener.end))]
    elif not any("works" in opener.forms for opener in openers):
        openers += filter(None, (others, match_imperative(text)))
    if not any("judged" in opener.forms for opener in openers) and (judgement := match_judgement(text)):
        openers.append(judgement)
    if not openers and (condition := UNDER_CONDITION.match(text)):
        openers.append(Opener(condition.end(), ("base", "simple"), without_role(condition[0])))
    return tuple(sorted(openers, key=lambda opener: opener.end, reverse=True))
