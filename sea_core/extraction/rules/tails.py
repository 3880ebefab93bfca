"""What follows the phrase in its sentence: it stays, or it is a second question or a purpose, and is omitted."""

from __future__ import annotations

import re

from sea_core.extraction.english import PRONOUNS, content_words, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import is_same_word
from sea_core.extraction.rules.judgements import find_judgement
from sea_core.extraction.rules.neutral import says_nothing, telling_words
from sea_core.extraction.rules.nouns import is_plural
from sea_core.extraction.rules.opener import Form
from sea_core.extraction.rules.short_questions import short_question, without_one
from sea_core.extraction.rules.vocabulary import CAN, CAUSING, CLOSING, EFFECT, JUDGED, ONE, TOOLS, WAYS, any_in

TAIL = re.compile(
    rf"(?:, {any_in('bitch, baby, babe, honey, man')}|"
    rf",? (?:{CLOSING}|bro|dude|buddy|though|anyway|in (?:\w+ )?details?|in depth|step[ -]by[ -]step|"
    r"(?:to me )?like (?:i'm|i am) (?:five|5|a child)))*+[\s.?!…/]*$",
    re.IGNORECASE,
)
# "Can you steal a lamp for me?": for whom belongs to the request.
FOR_ME = re.compile(rf" for (?:me|us)(?:,? (?:{CLOSING}))*+[\s.?!…]*$", re.IGNORECASE)
WORKS = re.compile(
    r" (?:actually |really )?"
    r"(?:(?:work|cost|mean|last)s?|(?:taste|feel) like|refer to|stand for|involve|entail|defined|have on .*|play "
    r"in .*|happen|occur|"
    r"take place|start|begin|end|come about)[\s.?!…]*$",
    re.IGNORECASE,
)
EFFECT_TAIL = re.compile(rf" (?:really |actually |even |also )?{EFFECT}\b.*$", re.IGNORECASE)
CAUSE_TAIL = re.compile(rf" (?:\w+ly )?{CAUSING}\b.*$", re.IGNORECASE)
# Where or when a product is wanted belongs to the question, not to the product.
PLACE = any_in(
    "in detail, for me, for us, with me, with us, out there, nearby, online, near me, around here, (?:right )?here, "
    "today, tonight, right now, (?:really )?cheap, for free, locally, by mail, these days, you can imagine, "
    "you can think of, you know(?: of)?, you have ever (?:seen|had)"
)
WHERE = re.compile(rf" {PLACE}(?:,? (?:{CLOSING}))*+[\s.?!…]*$", re.IGNORECASE)
JUDGEMENT = re.compile(rf" (?:(?:is|are|was|were|should be|be) )?{JUDGED}[\s.?!…]*$", re.IGNORECASE)
# "If I stole a lamp, what would happen?": the question after the condition.
QUESTION_AFTER = re.compile(
    r",? (?:then )?(?:(?:that|it|this) )?"
    r"(?:(?:what|how|who|whom|where|when|why|which|would|will|could|can|should|shall|do|does|did|am|"
    r"is|are|may|might|must)(?:n't)?|can't|won't)\b [^,]*$",
    re.IGNORECASE,
)
# "(What can I) open a shed with?": the question asks for what would follow the preposition.
STRANDED = re.compile(
    rf"(?<=[\w']) (?P<object>[\w'-]+)(?P<tail> {any_in('with, on, in, at, for, from, to, by')}"
    rf"(?: {any_in('today, now, legally')})?[\s?.!…]*)$",
    re.IGNORECASE,
)
# A second question of the same sentence about what the first is about: "and how should I sell it?", "and if so, ...".
SECOND_QUESTION = re.compile(
    rf",? and (?:(?:also )?(?:how|what|which|where|when|who) (?:(?:[\w'-]+ ){{0,3}}?(?:i|we|you|to|{CAN}) "
    r"(?:[^?!]*\b)?(?:it|them|they|this|that)\b|(?:\w+ )?(?:is|are|was|were) (?:it|they|this|that|its|their|"
    r"required for (?:it|this|that))\b)[^?!]*?|(?:is|are|was|were) (?:it|this|that|they)\b[^?!]*?|"
    rf"(?:what|which) (?:[\w-]+ ){{0,4}}(?:would|do|can|could) you (?:recommend|suggest)\b[^?!]*?|"
    r"(?:have|did) you ever\b[^?!]*?|"
    rf"(?:is|are) [^?!]* {JUDGED}(?: to \w+)?(?: [\w-]+)?|"
    rf"(?:what|which) (?:is|are) [\w -]*?\b(?:{TOOLS}|{WAYS})|"
    r"(?:did|do|would|were) you\b[^?!]*?|(?:why(?: or why not| not)?|how))(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# The same with any question word, after a comma: ", and does it hurt?".
NEXT_ABOUT_IT = re.compile(
    r", (?:and|or|but) (?:also |then )?(?:how|what|which|where|when|who|why|is|are|was|were|do|does|did|can|"
    r"could|should|"
    r"would|will)\b[^?!]*\b(?:it|its|them|they|their|this|that|these|those|one)\b[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# ", or is it only a rumour?"
ALTERNATIVE = re.compile(
    r",? or (?![^?!]* how to )(?:is|are|do|does|did|should|can) "
    r"(?:it|this|they|he|she|we|you|people|there)\b[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# ", and are there benefits to lamps?": a second question, which may name again what the first is about.
NEXT_QUESTION = re.compile(
    r", (?:and|or) (?P<question>(?:(?:is|are|was|were|do|does|did|how|which|where|when|why|who)|what(?:'s)?) [^?!]*?)"
    r"(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# What speaks against the activity, and does not describe it: ", even though it is forbidden".
CONCESSION = re.compile(
    r",? (?:(?<=, )(?:even though|although|though|when in reality)|but (?:i|we) (?:don't know|have no idea)) "
    r"[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# What the answer is to have: ", with detailed examples", "with all measures", ", including any tools needed".
EXTRAS = re.compile(
    r"(?:,? (?:with|including|and include|along with) (?:[\w-]+,? ){0,4}?"
    r"(?:details|instructions|examples|steps|tips|explanations)\b"
    r"|,? with (?:all|exact|precise|specific|detailed|full|complete|accurate|clear) (?:[\w-]+ ){0,2}?"
    r"(?:measures|measurements|ingredients|amounts|quantities|materials|components|descriptions|dialogue|references)\b"
    r"|, (?:detailing|describing|explaining|outlining|listing|specifying|mentioning|highlighting)\b"
    r"|, including (?=(?:[\w-]+,? )+(?:needed|required|necessary|involved|to use)[\s.?!…]*$))"
    r"[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# What the assistant is to tell of what it is asked to do: "and describe it".
AND_TELL = re.compile(
    r",? and (?:then )?(?:(?:describe|explain|summari[sz]e|discuss)(?: (?:it|them|how|why|what|if)\b|[\s.]*$)|"
    r"(?:tell|show|advise) (?:me|us)\b)[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# ", including the choice of routes": what the answer is to have too, and not a kind of what is done.
INCLUDING = re.compile(
    r",? including (?:the|any|all|its|their|details?|information|instructions|specific|exact)\b"
    r"[^?!]*?(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
IF_SO = re.compile(r",? and if (?:so|yes)\b[^?!]*?(?P<end>[\s.?!…]*)$", re.IGNORECASE)
OTHER_SIDE = re.compile(r" than [^,?!.]*", re.IGNORECASE)
# What is the case beside: "(care about lamps) when I can buy candles".
CIRCUMSTANCE = re.compile(rf",? (?:when|if|because|since|while) {ONE} [^?!]*?(?P<end>[\s.?!…]*)$", re.IGNORECASE)
RELATIVE = re.compile(r" (?:that|which|who) ", re.IGNORECASE)
SITUATION = any_in("situations?, scenarios?, circumstances?, cases?, conditions?, contexts?")
CLOSED = rf"(?:,? (?:{CLOSING}))*+[\s.?!…]*$"
REQUESTED_WORD = re.compile(r"[\w'-]+")
LISTED = frozenset(
    "details instructions examples steps tips explanations measurements ingredients materials tools components amounts "
    "quantities names descriptions references".split()
)
"""What a part of a request may end with, where the rest may say something of the phrase."""
TELL_IT = re.compile(r",? and (?:then )?(?:describe|explain|summari[sz]e|discuss) (?:it|them)\b", re.IGNORECASE)
ABOUT_IT = re.compile(r"\b(?:it|its|such|they|them|their|this|that|one|ones)\b", re.IGNORECASE)
# ", including the choice of routes and the sale": what is done, which the phrase may say too.
INCLUDED_ACT = re.compile(
    r",? including (?:the|its|their) "
    r"(?!(?:[\w-]+ )?(?:details?|information|instructions?|examples?|steps?|names?|tools?)\b)"
    r"(?:[\w-]+ )?[\w-]+ of [^?!.:]*[\s.?!…]*$",
    re.IGNORECASE,
)
ACTIVITY_FORMS = ("base", "asked", "ing")
REQUESTED = (EXTRAS, INCLUDING, IF_SO, AND_TELL)
"""Parts of the request that must not be lost."""
QUESTIONS = (SECOND_QUESTION, NEXT_ABOUT_IT, NEXT_QUESTION)
# A second question that asks how to do something: "and where can I sell it?".
ASKS_HOW = re.compile(
    r",? (?:and|or|but) (?:also |then )?(?:how|where|what|which|who)\b"
    r"(?=[^?!]*\b(?:can|could|should|do|would|might|to|required|needed)\b)",
    re.IGNORECASE,
)
WHICH_THING = re.compile(
    r"\b(?P<word>which|what) (?P<thing>[\w-]+)(?= (?:did|do|does|was|were|is|are|would|has|have|can|could)\b|\W*$)",
    re.IGNORECASE,
)
THEM = re.compile(r"\bthem\b", re.IGNORECASE)
SEVERAL = re.compile(r"\b(?:they|them|their|these|those)\b", re.IGNORECASE)
SAME_PERSONS = re.compile(r",? or \w+ (?:they|he|she)\b", re.IGNORECASE)
# What the request refers to belongs to the request: "(draft a letter) based on this situation".
REFERENCE = re.compile(
    r",? (?:(?:based|depending|relying) on|according to|given|following|(?:in|for|under|from|by)(?= th(?:is|ese) "
    rf"(?:[\w-]+ )?{SITUATION}\b)) th(?:is|ese) (?:[\w-]+ ){{0,2}}[\w-]+{CLOSED}",
    re.IGNORECASE,
)
REFERRING_FORMS = ("base", "asked", "ing", "past", "noun", "topic")
REFERRED = frozenset(
    "situation situations scenario scenarios circumstance circumstances case cases condition conditions context "
    "contexts plan plans rule rules recipe recipes drawing drawings photo photos text texts table tables map maps "
    "based depending relying according given following".split()
)
"""Words of a reference that say nothing of the phrase: any other one may say the harm."""
NOUN_FORMS = ("noun", "topic")
THING_FORMS = (*NOUN_FORMS, "works", "judged", "causes")


def split_tail(body: str, form: Form) -> tuple[str, str]:
    """Split the rest of the sentence into the phrase and what follows it, without a second question."""
    end = ""
    extra = CIRCUMSTANCE.search(body) if form == "topic" else AND_TELL.search(body) if form == "asked" else None
    dropped = None if _is_of_phrase(body, form) else _second_question(body) or extra
    if dropped:
        body, end = body[: dropped.start()], _what_stays(dropped, form)
    elif form in REFERRING_FORMS and (reference := _harmless_reference(body)):
        body, end = body[: reference.start()], reference[0]
    # "an app that opens sheds for free": what ends a clause belongs to the clause.
    noun_tails = (TAIL,) if RELATIVE.search(body) else (WHERE, TAIL)
    tails = {
        "asked": (FOR_ME, TAIL),
        "works": (WORKS, TAIL),
        "judged": (JUDGEMENT,),
        "effect": (EFFECT_TAIL,),
        "causes": (CAUSE_TAIL,),
        "condition": (QUESTION_AFTER, TAIL),
        "stranded": (STRANDED,),
        "noun": noun_tails,
        "topic": noun_tails,
    }.get(form, (TAIL,))
    tail = next((found for pattern in tails if (found := pattern.search(body))), None)
    if tail and tail.re is STRANDED and not _is_object(tail["object"]):
        tail = None
    place = tail.start("tail" if tail and tail.re is STRANDED else 0) if tail else len(body)
    if form == "judged":
        judgement = find_judgement(body) or place
        # "Is lamp oil a human right?": the class of things is the whole judgement, not only its last word
        place = min(judgement, place) if tail else judgement
        body = body[:place] + _without_repetition(body[place:], body[:place])
    return body[:place], re.sub(r"^\.(?=[?!])", "", body[place:] + end)  # the full stop of "Jr.?" is the phrase's


def _what_stays(dropped: re.Match[str], form: Form) -> str:
    """Return what stays of a second question or a part of the request, with the end of the sentence."""
    if dropped.re in REQUESTED and (requested := _harmless_part(dropped)):
        return without_one(requested, form in THING_FORMS, form == "past") + dropped["end"]
    if dropped.re in QUESTIONS:
        return _kept_question(dropped, form) + dropped["end"]
    return dropped[0] if _may_stay(dropped, form) else dropped["end"]


def _kept_question(found: re.Match[str], form: Form) -> str:
    """Return a second question, or what it asks in neutral words, without its end; "" if neither may stay."""
    asked = found[0].removesuffix(found["end"])
    if says_nothing(asked):
        asked = THEM.sub("it", asked) if form in THING_FORMS else asked
        before = content_words(found.string[: found.start()])
        leaks = any(is_same_word(word, other) for word in before for other in content_words(asked))
        return "" if leaks or (form in THING_FORMS and SEVERAL.search(asked)) else asked
    return short_question(asked)


def _harmless_reference(body: str) -> re.Match[str] | None:
    """Return a reference to what the request comes with: "based on these plans", not "given this stolen lamp"."""
    found = REFERENCE.search(body)
    return found if found and not telling_words(found[0]) - REFERRED else None


def _is_of_phrase(body: str, form: Form) -> bool:
    """Return whether the part of a request that could be lost says what is done, and belongs to the phrase."""
    found = _second_question(body)
    if not found or found.re is not INCLUDING or form not in ACTIVITY_FORMS:
        return False
    return bool(INCLUDED_ACT.match(found[0])) and not _harmless_part(found)


def check_nothing_lost(body: str, form: Form) -> None:
    """Raise ExtractionFailed if a part of the request can neither stay, as it may say the harm, nor be omitted."""
    found = _second_question(body) or (AND_TELL.search(body) if form == "asked" else None)
    if not found or _is_of_phrase(body, form):
        return
    if found.re in QUESTIONS:
        is_lost = not _kept_question(found, form)
    elif found.re is CONCESSION and ASKS_HOW.match(found[0]):
        is_lost = bool(words_of_its_own(body[: found.start()], found[0]))
    elif found.re is ALTERNATIVE:  # "or are they only there for the lamps?" says more of the same persons
        is_lost = bool(SAME_PERSONS.match(found[0])) and not _is_about(body[: found.start()], found[0])
    elif found.re is CONCESSION:
        is_lost = not (ABOUT_IT.search(found[0]) or _is_about(body[: found.start()], found[0]))
    else:
        is_lost = found.re in REQUESTED and not _harmless_part(found)
    if is_lost:
        raise ExtractionFailed("a part of the request would be lost", found[0].strip(" ,"))


def _harmless_part(found: re.Match[str]) -> str:
    """Return a part of a request up to the first word that may say something of the phrase; "" if nothing is left.

    Of ", including details on the oven for bread" the rest still says what is wanted: ", including details".
    """
    requested = found[0].removesuffix(found["end"])
    if found.re is IF_SO:
        requested = _with_ones(found.string[: found.start()], requested)
    words = list(REQUESTED_WORD.finditer(requested))
    unknown = next((at for at, word in enumerate(words) if telling_words(word[0])), len(words))
    if unknown == len(words):
        return requested
    if found.re is AND_TELL:
        kept = TELL_IT.match(requested)
        return kept[0] if kept else ""
    if found.re is IF_SO:
        return short_question(requested)
    if not _is_about(found.string[: found.start()], requested[words[unknown].start() :]):
        return ""
    last = max((at for at, word in enumerate(words[:unknown]) if word[0].lower() in LISTED), default=None)
    return "" if last is None else requested[: words[last].end()]


def _with_ones(before: str, part: str) -> str:
    """Return a part with "one" in place of a thing that was named before it: ", and if so, which LAMP was the best"."""
    first = content_words(before)

    def shorten(which: re.Match[str]) -> str:
        is_named = any(is_same_word(word, which["thing"]) for word in first)
        ones = "ones" if is_plural(which["thing"]) else "one"
        return f"{which['word']} {ones}" if is_named else which[0]

    return WHICH_THING.sub(shorten, part)


def _is_about(before: str, part: str) -> bool:
    """Return whether a part says nothing itself, or names again what stands before it."""
    first, second = content_words(before), telling_words(part)
    return not second or any(is_same_word(word, other) for word in first for other in second)


def words_of_its_own(before: str, part: str) -> set[str]:
    """Return the words of a part that say something, and are no forms of words before it."""
    first = content_words(before)
    return {word for word in telling_words(part) if not any(is_same_word(word, other) for other in first)}


def _may_stay(found: re.Match[str], form: Form) -> bool:
    """Return whether what follows says nothing of the phrase, but may refer to it: "and how can I do it?"."""
    return says_nothing(found[0]) and (form not in THING_FORMS or not SEVERAL.search(found[0]))


def _without_repetition(judgement: str, judged: str) -> str:
    """Return a judgement without the other side of a comparison that has words of what is judged."""
    side = OTHER_SIDE.search(judgement)
    words = content_words(judged)
    repeats = side and any(is_same_word(word, other) for word in words for other in content_words(side[0]))
    return OTHER_SIDE.sub("", judgement) if repeats else judgement


def _is_object(word: str) -> bool:
    """Return whether a word may be the object of a verb: "open a SHED with", not "get AWAY with"."""
    return not word.endswith("ing") and ("NOUN" in (word_classes(word) or {"NOUN"}) or word in PRONOUNS)


def _second_question(body: str) -> re.Match[str] | None:
    for pattern in (IF_SO, SECOND_QUESTION, NEXT_ABOUT_IT, ALTERNATIVE, CONCESSION, EXTRAS, INCLUDING):
        if found := pattern.search(body):
            return found
    found = NEXT_QUESTION.search(body)
    return found if found and _is_about(body[: found.start()], found["question"]) else None
