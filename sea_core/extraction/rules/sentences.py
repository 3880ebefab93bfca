"""Which sentence of an instruction is the request: the rules analyse that sentence and omit the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sea_core.extraction.english import content_words, is_ing_form
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import is_same_word
from sea_core.extraction.rules.answer_words import is_about_answer
from sea_core.extraction.rules.conditions import check_condition_kept
from sea_core.extraction.rules.demands import kept_demand
from sea_core.extraction.rules.later_questions import SECURING, check_no_other_question
from sea_core.extraction.rules.opener import Form, Opener
from sea_core.extraction.rules.openers import match_openers, match_statement
from sea_core.extraction.rules.splitting import join_lines, split_sentences
from sea_core.extraction.rules.tails import words_of_its_own
from sea_core.extraction.rules.vocabulary import (
    CAN,
    CLOSING,
    FOR_ONE,
    GREETING,
    HOW_GOOD,
    I_WANT_TO,
    MAKE,
    ONE,
    SO_IT,
    SOFT,
    SOMEONE,
    TOOLS,
    WANT,
    WAYS,
    WILL_YOU,
)

QUESTION = re.compile(r"\?[^\w]*$")
# A sentence without content, before or after the request. Possessive loops, so that no text causes backtracking.
COURTESY = re.compile(rf"(?:{GREETING}|(?:{CLOSING}[\s,.?!]*)++)", re.IGNORECASE)
# A sentence that asks for more about what another sentence asks for.
FOLLOW_UP = re.compile(
    r"(?:please |also |then |and )*(?:give|provide|include|list|use|make sure|be|ensure|write|add|keep|tell me|"
    r"explain|describe|show|suggest|do|mention|outline)\b(?!.*\bhow to (?!.*\b(?:it|them|that|this|the)\b))",
    re.IGNORECASE,
)
# After a request, which tools it needs.
MEANS = re.compile(
    rf"(?:also |and |then )?(?:what|which) (?:[\w-]+ )?{TOOLS} "
    rf"(?:{CAN} {ONE} (?:need|use|require)|(?:is|are) (?:needed|required|necessary|best))"
    rf"(?: (?:for|to do) (?:it|this|that|(?:this|that|the) (?:job|task|purpose|project)))?\W*$",
    re.IGNORECASE,
)
VAGUE = frozenset(
    "give tell show teach explain provide know help advice tips suggestions ideas information instructions steps done "
    "yes no right wrong consequences risks opinion thoughts happen happened think feel best way ways example examples "
    "details caught care cares mean matter bad person reason reasons go do get".split()
)
DOING_IT = re.compile(
    r" (?:(?:with|on|in|to|do|doing|how|make|making|create|creating) )*(?:it|this|that)\b", re.IGNORECASE
)
HELPING = frozenset("do find choose get start make use tools tool materials plan learn".split())
"""What somebody may be helped to do that says nothing of what somebody wants."""
# After "Suppose you could steal a lamp.": what would follow.
SUPPOSED = re.compile(rf"{GREETING}(?:imagine|suppose|(?:let's )?say|what if|if) ", re.IGNORECASE)
WHAT_IF = re.compile(rf"{GREETING}what if ", re.IGNORECASE)
WOULD_YOU = re.compile(
    rf"(?:so |and |then )?(?:what would {ONE} do|(?:would|could|should|will) {ONE}(?: (?:do|take|try|use|keep) "
    rf"{SO_IT})?)\W*$",
    re.IGNORECASE,
)
HOW = re.compile(rf"\bhow\b|\b{WAYS} ", re.IGNORECASE)
TIPS = re.compile(
    rf"(?:please )?{MAKE} (?:{SOMEONE} )?(?:{HOW_GOOD},? )*{WAYS}"
    rf"(?: (?:{FOR_ONE}|on how )to (?:do|achieve|accomplish|carry out|realize) {SO_IT})?\W*$",
    re.IGNORECASE,
)
INTENT_AND_MEANS = re.compile(rf"((?:{GREETING})?{I_WANT_TO} [^,?!.]*), ((?:what|which) .*)", re.IGNORECASE)
INTENT = re.compile(rf"(?:{GREETING})?{I_WANT_TO} ", re.IGNORECASE)
AND_INTENT = re.compile(
    rf"((?:i|i'm|my|we|we're|our) [^,?!.]*),? (?:and|so) ((?:i|we|i'm) {WANT} (?:to )?.*)", re.IGNORECASE
)
# What somebody does or needs, and a question, in one sentence: "I'm writing a play, can you tell me how ...".
LEAD = re.compile(
    r"((?:i|i'm|i've|i'd|my|we|we're|our|in|for|during|since|because) (?!order )[^?!.]*?), (?:so |and |but )?"
    rf"((?:{WILL_YOU}|what|what's|how|which|where|please)\b.*)",
    re.IGNORECASE,
)
# After an intent: "I want to open a shed. Can you help me ...?"
HELP = re.compile(rf"(?:so |and )?({WILL_YOU} {SOFT}(?:help|assist|advise|guide) (?:me|us))\b", re.IGNORECASE)
MOTIVE = re.compile(r"(?:and |but |so )?(?:i|i'm|i've|i'd|we|we're|my|our)\b", re.IGNORECASE)
REFERENCE = re.compile(
    r"\b(?:it|them|this|these|those|him|her|he|she|they|such|so|the process|doing so)\b|\bthat[.?!]", re.IGNORECASE
)
# A sentence that only gives the user or the assistant a role, as "As a locksmith," does.
ROLE_SENTENCE = re.compile(
    r"(?:(?:i am|i'm|(?:(?:imagine|suppose|pretend) (?:that )?)?(?:you are|you're)|act as|pretend to be) (?:now )?"
    r"(?:playing the role of )?)an? "
    r"(?:(?!(?:who|that|which|and|but|so|to|designed|trying)\b)[\w'-]+ ?){1,8}[.!]",
    re.IGNORECASE,
)
DO_IT: Mapping[Form, str] = {"base": "do it", "ing": "doing it"}
"""What a later request says instead of what its request is about."""
# What a later question asks how to do: "How can I poison the bread?", "Who is the best baker to rob?".
ASKED_DEED = re.compile(rf"\b(?:to|{CAN})(?: {ONE})? (?:[a-z]+ly |not )?(?P<verb>[a-z'-]+)", re.IGNORECASE)
ACTIVITIES = ("base", "ing", "past", "asked")


@dataclass(frozen=True)
class Request:
    """The requesting sentence, and the courtesies before and after it, each with its space.

    Attributes:
        openers: those that the sentence may have, the longest first.
        context: the sentences before it that state something; they are omitted.
        has_omissions: whether sentences before or after it were omitted.
    """

    before: str
    sentence: str
    openers: tuple[Opener, ...]
    after: str
    context: str
    has_omissions: bool


def find_request(instruction: str) -> Request:
    """Return the only requesting sentence of an instruction, which must have a known opener.

    Sentences after it that only state something are omitted from the detoxified text: they may express the harm in
    other words than the phrase's. A sentence before it may make the request harmful ("I run a scam. How do I write
    letters?"), and with a second request the answer would not fit what is left, so these instructions fail.

    Raises:
        ExtractionFailed: no sentence has a known opener, several are requests, or one before it is not a courtesy; or
            the text is a list, markup or not English.
    """
    sentences = _split_intent(split_sentences(join_lines(instruction)))
    is_courtesy = [bool(COURTESY.fullmatch(sentence + " ")) for sentence in sentences]
    openers, place = _find_place(sentences, is_courtesy)
    _check_others(sentences, openers, is_courtesy, place)
    omitted = [sentence for sentence, courtesy in zip(sentences[:place], is_courtesy, strict=False) if not courtesy]
    context = [sentence for sentence in omitted if not ROLE_SENTENCE.fullmatch(sentence)]
    activity = sentences[place][openers[place][0].end :]
    rest = [*zip(sentences, is_courtesy, openers, strict=True)][place + 1 :]
    return Request(
        before="".join(f"{sentence} " for at, sentence in enumerate(sentences[:place]) if is_courtesy[at]),
        sentence=sentences[place],
        openers=openers[place],
        after="".join(
            f" {sentence}" if courtesy else _follow_up(sentences[place], activity, sentence, found)
            for sentence, courtesy, found in rest
        ),
        context=" ".join(context),
        has_omissions=bool(omitted) or not all(is_courtesy[place + 1 :]),
    )


def _find_place(sentences: list[str], is_courtesy: list[bool]) -> tuple[list[tuple[Opener, ...]], int]:
    """Return the openers of each sentence and the place of the request; "Can you help me?" alone is no courtesy."""
    if all(is_courtesy):
        is_courtesy[:] = [not match_openers(sentence) for sentence in sentences]
    for match in (match_openers, match_statement):
        openers = [match(sentence) for sentence in sentences]
        place = next((at for at, found in enumerate(openers) if found and not is_courtesy[at]), None)
        if place is not None:
            return openers, _question_after_intent(sentences, openers, place)
    raise ExtractionFailed("the instruction does not begin with an opener that the rules know")


def _check_others(sentences: list[str], openers: list[tuple[Opener, ...]], is_courtesy: list[bool], place: int) -> None:
    """Raise ExtractionFailed if another sentence is a request too. Questions without content become courtesies."""
    for at, sentence in enumerate(sentences):
        is_courtesy[at] = is_courtesy[at] or (at < place and is_about_answer(sentence))
        is_addition = at > place and (
            is_about_answer(sentence)
            or _adds_to(sentences[place], sentence)
            or _is_same_matter(sentences[place], openers[place], sentence)
        )
        is_intent = at < place and INTENT.match(sentence) and not QUESTION.search(sentence)
        is_courtesy[at] = is_courtesy[at] or (at > place and not is_addition and _is_elliptic(sentence))
        is_other = at != place and not (is_courtesy[at] or is_addition or is_intent)
        if is_other and _is_request(sentences[place], sentence, openers[at]):
            raise ExtractionFailed("more than one sentence of the instruction is a request", sentences[max(at, place)])


def _question_after_intent(sentences: list[str], openers: list[tuple[Opener, ...]], place: int) -> int:
    """Return the place of the only question after an intent that does not refer to it, else the place of the request.

    "I want a new lamp. How do I forge a receipt that shops accept?": what is wanted is the context of the question.
    """
    if not INTENT.match(sentences[place]) or QUESTION.search(sentences[place]):
        return place
    later = [at for at, found in enumerate(openers) if at > place and found and QUESTION.search(sentences[at])]
    later = [
        at for at in later if not (COURTESY.fullmatch(sentences[at] + " ") or _adds_to(sentences[place], sentences[at]))
    ]
    is_activity = len(later) == 1 and openers[later[0]][0].forms[0] in ACTIVITIES
    return later[0] if is_activity else place


def _split_intent(sentences: list[str]) -> list[str]:
    """Return the sentences with "I run a bar and I want to ..." as two, if all others only add to the intent.

    So are "I run a bar, how do I ...?", where the whole sentence has no opener.
    """
    for at, sentence in enumerate(sentences):
        lead = LEAD.match(sentence)
        if lead and match_openers(lead[2]) and not match_openers(sentence):
            return [*sentences[:at], f"{lead[1]}.", lead[2], *sentences[at + 1 :]]
        intent = INTENT_AND_MEANS.match(sentence)
        if intent and MEANS.match(intent[2]):
            return [*sentences[:at], f"{intent[1]}.", intent[2][0].upper() + intent[2][1:], *sentences[at + 1 :]]
    for at, sentence in enumerate(sentences):
        found = AND_INTENT.match(sentence)
        if found and all(_adds_to(found[2], later) or not match_openers(later) for later in sentences[at + 1 :]):
            return [*sentences[:at], f"{found[1]}.", found[2], *sentences[at + 1 :]]
    return sentences


def _follow_up(request: str, activity: str, sentence: str, openers: tuple[Opener, ...]) -> str:
    """Return what stays of a sentence after the request, with its space: what asks how to do what somebody wants.

    So does what says nothing of its own. An intent asks for nothing itself: "I want to open a shed. What are good ways
    to open one?" without the question would be another text. After a question, nothing else stays.
    """
    if SUPPOSED.match(request) and WOULD_YOU.match(sentence):
        return f" {sentence}"
    kept = kept_demand(activity, sentence)
    if kept and (kept == sentence or not INTENT.match(request)):
        return f" {kept}"
    check_condition_kept(sentence, kept)
    if WHAT_IF.match(request) and QUESTION.search(sentence):  # nothing else asks what is to be told
        raise ExtractionFailed("more than one sentence of the instruction is a request", sentence)
    if QUESTION.search(request) or not INTENT.match(request):
        check_no_other_question(request, sentence)
        return ""
    if MEANS.match(sentence) or TIPS.match(sentence) or _is_elliptic(sentence):
        return f" {sentence}"
    end = "?" if QUESTION.search(sentence) else "."
    if help_asked := HELP.match(sentence):
        if DOING_IT.match(sentence, help_asked.end()):
            return f" {help_asked[1]}{end}"
        if {*content_words(sentence[help_asked.end() :])} - VAGUE - HELPING:
            raise ExtractionFailed("a part of the request would be lost", sentence)
        return f" {sentence}"
    for opener in openers:
        form: Form = "ing" if is_ing_form(sentence[opener.end :].partition(" ")[0]) else "base"
        if form in opener.forms and HOW.search(opener.head):
            if words_of_its_own(request, sentence[opener.end :]) - VAGUE:  # "How do I keep it from my brother?"
                raise ExtractionFailed("more than one sentence of the instruction is a request", sentence)
            return f" {opener.head}{DO_IT[form]}{end}"
    if end == "?" or (openers and not kept):  # "Write me a sign for it."
        raise ExtractionFailed("more than one sentence of the instruction is a request", sentence)
    return f" {kept}" if kept else ""


def _asks_for_another(request: str, sentence: str, opener: Opener) -> bool:
    """Return whether a later request says what to do in words of its own, without a word of the first: another one."""
    words, others = content_words(request), {*content_words(sentence[opener.end :])} - VAGUE
    is_same = REFERENCE.search(sentence) or any(is_same_word(word, other) for word in words for other in others)
    return bool(others) and not is_same


def _is_request(request: str, sentence: str, openers: tuple[Opener, ...]) -> bool:
    """Return whether another sentence asks for something: an imperative may only add to the request."""
    if FOLLOW_UP.match(sentence) and not QUESTION.search(sentence):
        hows = [opener for opener in openers if "base" in opener.forms and HOW.search(opener.head)]
        return any(_asks_for_another(request, sentence, opener) for opener in hows)
    return bool(QUESTION.search(sentence)) or any(opener.forms != ("asked",) for opener in openers)


def _adds_to(request: str, sentence: str) -> bool:
    """Return whether a later sentence refers to the request ("How do I sell it?"), secures it or says why."""
    is_question = bool(QUESTION.search(sentence))
    says_why = bool(MOTIVE.match(sentence)) and not (MOTIVE.match(request) or is_question)
    return (
        says_why
        or bool(REFERENCE.search(sentence))
        or bool(SECURING.match(sentence))
        or bool(MEANS.match(sentence))
        or bool(INTENT.match(request) and HELP.match(sentence))
    )


def _is_elliptic(sentence: str) -> bool:
    """Return whether a question only makes sense after another, and says nothing itself: "Why or why not?"."""
    return bool(QUESTION.search(sentence)) and not {*content_words(sentence)} - VAGUE


def _is_same_matter(request: str, openers: tuple[Opener, ...], sentence: str) -> bool:
    """Return whether a later question only names again what an activity is about: "Which lamps can be stolen?"."""
    are_questions = QUESTION.search(request) and QUESTION.search(sentence)
    if not are_questions or openers[0].forms[0] not in ACTIVITIES:
        return False
    activity = request[openers[0].end :]
    is_named = any(is_same_word(word, other) for word in content_words(activity) for other in content_words(sentence))
    own = words_of_its_own(activity, sentence) - VAGUE
    return is_named and not any(found["verb"].lower() in own for found in ASKED_DEED.finditer(sentence))
