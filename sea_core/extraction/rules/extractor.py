"""The offline extractor: known openers and a dictionary. What it does not understand for certain, it skips."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sea_core.data.examples import Extraction
from sea_core.extraction.english import content_words, is_ing_form, lemmas, split_words, word_classes
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.leak import placeholder
from sea_core.extraction.medium import named_medium
from sea_core.extraction.repair import fix_agreement
from sea_core.extraction.rules.noun_phrases import product_sentence
from sea_core.extraction.rules.opener import Form, Opener, has_role
from sea_core.extraction.rules.passives import passive_sentence
from sea_core.extraction.rules.sentences import Request, find_request
from sea_core.extraction.rules.verb_phrases import (
    NO_VERB,
    STATE,
    STATES,
    activity_sentence,
    check_asked,
    past_activity_sentence,
    skip_adverbs,
    third_person,
)
from sea_core.extraction.rules.vocabulary import CAN, CLOSING, EFFECT, OKAY, any_in
from sea_core.extraction.wording import is_latin

MAX_CHARACTERS = 4_000
"""Of an instruction: some rules take time that grows with its square."""
MAX_WORDS = 37
ENGLISH_ONLY = "the rules read English only; --extractor openai or transformers reads any language"
NO_CONTENT = "the phrase only refers to something mentioned elsewhere"
NO_PHRASE = "the instruction ends after its opener"
TAIL = re.compile(rf"(?:,? (?:{CLOSING}|bro|dude|buddy|though|anyway))*+[\s.?!…/]*$", re.IGNORECASE)
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\b(work|cost)s\b")
WORKS = re.compile(
    r" (?:actually |really )?(?:(?:work|cost|mean)s?|happen|occur|take place|start|begin|end|come about)[\s.?!…]*$",
    re.IGNORECASE,
)
EFFECT_TAIL = re.compile(rf" (?:really |actually |even |also )?{EFFECT}\b.*$", re.IGNORECASE)
# Where or when a product is wanted belongs to the question, not to the product.
WHERE = re.compile(
    r" (?:in detail|for me|for us|with me|with us|out there|nearby|online|near me|around here|(?:right )?here|today|"
    r"tonight|right now|(?:really )?cheap|for free|locally|"
    rf"by mail|these days)(?:,? (?:{CLOSING}))*+[\s.?!…]*$",
    re.IGNORECASE,
)
JUDGEMENT = re.compile(rf" (?:not )?{OKAY}[\s.?!…]*$", re.IGNORECASE)
# A second question of the same sentence about what the first is about: "and how should I sell it?", "and if so, ...".
SECOND_QUESTION = re.compile(
    rf",? and (?:(?:also )?(?:how|what|which|where|when|who) (?:(?:[\w'-]+ ){{0,3}}?(?:i|we|you|to|{CAN}) "
    r"[^?!]*\b(?:it|them|this|that)\b|(?:\w+ )?(?:is|are|was|were) (?:it|they|this|that|"
    r"required for (?:it|this|that))\b)[^?!]*?|(?:is|are|was|were) (?:it|this|that|they)\b[^?!]*?|"
    r"have you ever (?:\w+ )?done (?:it|this|that)\b[^?!]*?|if (?:so|yes)\b[^?!]*?|"
    r"why(?: or why not| not)?)(?P<end>[\s.?!…]*)$",
    re.IGNORECASE,
)
# What speaks against the activity, and does not describe it: ", even though it is forbidden".
CONCESSION = re.compile(r", (?:even though|although|though|when in reality) [^?!]*?(?P<end>[\s.?!…]*)$", re.IGNORECASE)
COMPARISON = re.compile(r"\bthan\b", re.IGNORECASE)
COMPARED = re.compile(r"\b(?:\w+er|more|less|rather|worse|fewer|different)\b.*\bthan\b", re.IGNORECASE)
BASIS = re.compile(
    r",? (?:(?:based|depending) on|judging by|given|from|considering) [^,?!]{3,80}[\s.?!…]*$", re.IGNORECASE
)
"""Why somebody may have what is asked about."""
RELATIVE = re.compile(r" (?:that|which|who) ", re.IGNORECASE)
UNUSUAL_CHARACTER = re.compile(r"[^\w ,.'$%&()/+\"-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
SO_CLAUSE = re.compile(r" so (?=\w)", re.IGNORECASE)
NEGATED_WORDS = 3
AND_NOT = re.compile(r" (?:and|but) not (?=\w)", re.IGNORECASE)  # "steal a lamp and not get caught"
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
VAGUE = frozenset("do get make go have take use find put give thing things something stuff way".split())
POINTING = frozenset("it this that these those them".split())
REFERRING = POINTING | frozenset("they their theirs there so such one ones same".split())
THAT_CLAUSE = re.compile(r"(?<=[\w,] )(\S+) that (?=\w)", re.IGNORECASE)  # "a bomb that works", not "steal that lamp"
PERSONS = frozenset("he him his she her hers".split())
MIN_INDEPENDENT = 4
MIN_INDEPENDENT_OF_OTHERS = 3
INDEPENDENT = ("base", "asked", "ing", "noun")
SECOND_PERSON = re.compile(r"\byou", re.IGNORECASE)
FIRST_PERSON = re.compile(r"\b(?:i|i'\w+|me|my|mine|we|us|our)\b", re.IGNORECASE)
PART = re.compile(
    r"\b(?:some|any|one|more|both|others)(?: (?:across|in|on|to|from|for|at|with|into|of|and)\b|$)", re.IGNORECASE
)
ANAPHORA = frozenset("it they them their theirs".split())
ANOTHER_QUESTION = re.compile(
    r"(?:\b(?:how|what|where|why|when)|^who|, who|^which|, which) (?:can|do|does|did|should|would|could|is|are|will)\b|"
    r"\b(?:can|could|would|do|should|will) (?:you|i) (?:help|tell|do|know|show|give|think|please)\b|"
    r"\b(?:is|are) (?:it|there|that)\b",
    re.IGNORECASE,
)
# "this knife" is in a picture, but "this situation" is what the user is in.
CIRCUMSTANCE = any_in(
    "situations?, circumstances?, cases?, facts?, issues?, information, conditions?, contexts?, matters?, disputes?, "
    "problems?, symptoms?, data, trends?, experiences?, scenarios?, rights?, form, clause, organizations?"
)
NOT_SHOWN = any_in(
    "kinds?, types?, sorts?, ways?, ones?, days?, weeks?, weekends?, months?, years?, mornings?, afternoons?, "
    "evenings?, nights?, times?, season, summer, winter, spring, country, world, planet, city, town, and, or, but, to, "
    "in, on, for, from, with, by, at, into, up, is, was, as, because, if"
)
SHOWN = re.compile(rf"\b(?:this|these) (?!{NOT_SHOWN}\b)(?!(?:[\w-]+ ){{0,3}}?{CIRCUMSTANCE}\b)\w+", re.IGNORECASE)
# "the best place to hide myself that nobody knows": the clause belongs to a word of the opener.
LATE_CLAUSE = re.compile(
    r"\b(?P<before>\w+) (?:myself|yourself|themselves|me|it|them|him|her) (?:that|which)\b", re.IGNORECASE
)
TELLING = frozenset("convince persuade tell show assure remind teach inform warn promise".split())
"""Verbs that "that" may follow: "convince him that ..."."""
NEW_CLAUSE = re.compile(
    r"(?:,|\b(?:and|but|or)) (?:(?:i|you|we|he|she|they|it|there|this|that(?= (?:would|is|was|will))|"
    r"so(?! (?:that )?(?:\w+ ){1,2}(?:can|could|will|would|won't|don't)\b)|"
    r"but|since|because|even(?= (?:though|if|when))|if|when|what|how|who(?! (?:\w+(?:s|ed)|had|have) )|where|"
    r"which|is|are|do|does|can|could|would|should|was|please)\b|(?:i|you|we|they|he|she)'\w+)",
    re.IGNORECASE,
)


DONE: Mapping[Form, str] = {"past": "done", "simple": "did"}
"""What the detoxified instruction has instead of a verb in the past."""


@dataclass(frozen=True)
class RulesExtractor(Extractor):
    """Extracts the verb phrase or the noun phrase after a known opener, from the only requesting sentence."""

    name: str = "rules"

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        """Yield the outcomes in order."""
        for index, instruction in enumerate(instructions):
            try:
                yield index, extract_by_rules(instruction)
            except ExtractionFailed as reason:
                yield index, reason


def extract_by_rules(instruction: str) -> Extraction:
    """Return the extraction of one instruction. Raises ExtractionFailed rather than guess."""
    if len(instruction) > MAX_CHARACTERS:
        raise ExtractionFailed(f"the instruction is longer than {MAX_CHARACTERS} characters", str(len(instruction)))
    if not is_latin(instruction):
        raise ExtractionFailed(ENGLISH_ONLY)
    request = find_request(instruction)
    if medium := named_medium(request.sentence):
        raise ExtractionFailed("the instruction speaks of the medium itself", medium)
    failures = []
    for opener in request.openers:
        try:
            return _extract(request, opener)
        except ExtractionFailed as failure:
            failures.append(failure)
            if not str(failure).startswith((NO_VERB, NO_PHRASE, NO_CONTENT)):  # the opener was the right one
                break
    raise failures[0]


def _extract(request: Request, opener: Opener) -> Extraction:
    """Return the extraction with the first form that fits. Raises ExtractionFailed with the last form's reason."""
    failure = ExtractionFailed(NO_PHRASE)
    for form in opener.forms:
        phrase, tail = _split_tail(request.sentence[opener.end :], form)
        quote = '"' if phrase.count('"') == 2 and phrase[0] == phrase[-1] == '"' else ""
        phrase, head, tail = phrase[1:-1] if quote else phrase, opener.head + quote, quote + tail
        try:
            _check_phrase(phrase)
            if request.context:
                _check_independent(phrase, form, request.context)
            if request.has_omissions or has_role(request.sentence):
                _check_self_contained(phrase)
            return _make_extraction(request.before + head, phrase, tail + request.after, form)
        except ExtractionFailed as error:
            failure = error
    raise failure


def _split_tail(body: str, form: Form) -> tuple[str, str]:
    """Split the rest of the sentence into the phrase and what follows it."""
    # "an app that opens sheds for free": what ends a clause belongs to the clause.
    noun_tails = (TAIL,) if RELATIVE.search(body) else (WHERE, TAIL)
    tails = {
        "works": (WORKS, TAIL),
        "judged": (JUDGEMENT,),
        "had": (BASIS, TAIL),
        "effect": (EFFECT_TAIL,),
        "noun": noun_tails,
    }.get(form, (TAIL,))
    tail = next((found for pattern in tails if (found := pattern.search(body))), None)
    end = tail.start() if tail else len(body)
    if dropped := SECOND_QUESTION.search(body) or CONCESSION.search(body):
        return body[: dropped.start()], dropped["end"]
    return body[:end], re.sub(r"^\.(?=[?!])", "", body[end:])  # the full stop of "Jr.?" belongs to the phrase


def _check_phrase(phrase: str) -> None:
    """Raise ExtractionFailed for a phrase that is unclear in every form."""
    words = split_words(phrase)
    if not words:
        raise ExtractionFailed(NO_PHRASE)
    if unusual := UNUSUAL_CHARACTER.search(phrase):
        raise ExtractionFailed("the phrase has a character whose role is unclear", unusual[0])
    if len(words) > MAX_WORDS:
        raise ExtractionFailed(f"the phrase is longer than {MAX_WORDS} words", str(len(words)))
    # "kill a plant that won't grow": the negation belongs to a later verb.
    positive = split_words(AND_NOT.sub(" ", phrase))[:NEGATED_WORDS]
    if negation := next((word for word in positive if word in NEGATIONS or word.endswith("n't")), None):
        raise ExtractionFailed("the phrase has a negation", negation)
    if slang := next((word for word in phrase.split() if word in SLANG), None):
        raise ExtractionFailed("the phrase has slang whose grammar is unclear", slang)
    if COMPARISON.search(phrase) and not COMPARED.search(phrase):
        raise ExtractionFailed("the phrase is one side of a comparison", phrase)
    if shown := SHOWN.search(phrase):
        raise ExtractionFailed("the phrase speaks of something that is shown", shown[0])
    if (clause := LATE_CLAUSE.search(phrase)) and not lemmas(clause["before"]) & TELLING:
        raise ExtractionFailed("the phrase has another question or clause", clause[0])
    if clause := ANOTHER_QUESTION.search(phrase) or NEW_CLAUSE.search(phrase):
        raise ExtractionFailed("the phrase has another question or clause", clause[0].strip(" ,"))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        raise ExtractionFailed(NO_CONTENT, phrase)


def _check_self_contained(phrase: str) -> None:
    """Raise ExtractionFailed for a phrase that refers to a sentence that was omitted."""
    words = split_words(SO_CLAUSE.sub(" ", THAT_CLAUSE.sub(r"\1 ", phrase)))
    words = [word for word, after in zip(words, [*words[1:], ""], strict=True) if (word, after) != ("one", "of")]
    if reference := next((word for at, word in enumerate(words) if _refers(word, words[1:at])), None):
        raise ExtractionFailed("the phrase refers to another sentence", reference)


def _check_independent(phrase: str, form: Form, context: str) -> None:
    """Raise ExtractionFailed for a short phrase, which may be harmful only after the sentence before it.

    "I run a scam. How do I write letters?": a phrase of several content words says itself what it is about. What the
    sentence says of others, and not of the user, changes less.
    """
    words = split_words(THAT_CLAUSE.sub(r"\1 ", phrase))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    is_of_others = form != "asked" and not FIRST_PERSON.search(context)
    needed = MIN_INDEPENDENT_OF_OTHERS if is_of_others else MIN_INDEPENDENT
    is_clear = not PART.search(phrase) and form in INDEPENDENT and len(content) >= needed
    if not is_clear or {*words} & (REFERRING | PERSONS) or SECOND_PERSON.search(context):
        raise ExtractionFailed("the request may depend on a sentence before it", context)


def _refers(word: str, before: list[str]) -> bool:
    """Return whether a word refers to another sentence: a pronoun does not if a noun precedes it in the phrase."""
    if word in ANAPHORA and any({"NOUN", "PROPN"} & word_classes(other) for other in before):
        return False
    return word in REFERRING


def _make_extraction(head: str, phrase: str, tail: str, form: Form) -> Extraction:
    if form == "passive":
        sentence, done = passive_sentence(phrase)
        return Extraction(phrase, "activity", sentence, f"{head}{placeholder('activity')}{done}{tail}")
    if form in ("base", "asked", "past", "simple"):
        if form == "asked":
            check_asked(phrase)
        bare = phrase.replace('"', "") if phrase.startswith('"') else phrase  # 'What does it mean to "nick" a lamp?'
        sentence = past_activity_sentence(bare) if form in DONE else activity_sentence(bare)
        do = DONE.get(form) or ("do" if head or phrase[0].islower() else "Do")
        return Extraction(phrase, "activity", sentence.rstrip("."), f"{head}{do} {placeholder('activity')}{tail}")
    if form == "effect" or (form == "works" and is_ing_form(phrase.split()[0])):
        form = "ing"
    if form == "ing":
        tokens = phrase.split()
        verb = tokens[skip_adverbs([token.lower() for token in tokens])]
        if not is_ing_form(verb):
            raise ExtractionFailed(NO_VERB, verb)
        if lemmas(verb.lower()) & STATES:
            raise ExtractionFailed(STATE, verb)
        sentence = f"a person is {third_person(phrase)}".rstrip(".")
        return Extraction(phrase, "activity", sentence, f"{head}doing {placeholder('activity')}{tail}")
    tail = WORK.sub(r"\1", tail) if form == "works" else tail
    detoxified = fix_agreement(f"{head}{placeholder('product')}{tail}")
    return Extraction(phrase, "product", product_sentence(phrase).rstrip("."), detoxified)
