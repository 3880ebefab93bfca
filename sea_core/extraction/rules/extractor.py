"""The offline extractor: fixed openers, a dictionary, and many refusals. What it is not sure of, it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.data.examples import Extraction
from sea_core.extraction.english import content_words, is_ing_form, lemmas, split_words
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.leak import placeholder
from sea_core.extraction.repair import fix_agreement
from sea_core.extraction.rules.noun_phrases import product_sentence
from sea_core.extraction.rules.openers import Form, match_opener
from sea_core.extraction.rules.sentences import find_request
from sea_core.extraction.rules.verb_phrases import STATES, activity_sentence, third_person
from sea_core.extraction.rules.vocabulary import CLOSING

MAX_WORDS = 16
TAIL = re.compile(rf"(?:,? (?:{CLOSING}|bro|dude|buddy|though|anyway))*+[\s.?!…]*$", re.IGNORECASE)
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\b(work|cost)s\b")
WORKS = re.compile(r" (?:actually |really )?(?:work|cost)s?\b[\s.?!…]*$", re.IGNORECASE)
# Where or when a product is wanted is the question's, not the product's.
WHERE = re.compile(
    r" (?:nearby|online|near me|around here|(?:right )?here|today|tonight|right now|(?:really )?cheap|for free|locally|"
    rf"by mail|these days)(?:,? (?:{CLOSING}))*+[\s.?!…]*$",
    re.IGNORECASE,
)
STRANGE = re.compile(r"[^A-Za-z0-9 ,.'$%&-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
AND_NOT = re.compile(r" (?:and|but) not (?=\w)", re.IGNORECASE)  # "steal a lamp and not get caught"
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
VAGUE = frozenset("do get make go have take use find put give thing things something stuff way".split())
POINTING = frozenset("it this that these those them".split())
OUTSIDE = POINTING | frozenset("they their theirs there so such one ones same".split())
ANOTHER_QUESTION = re.compile(
    r"\b(?:how|what|where|why|when|who|which) (?:can|do|does|did|should|would|could|is|are|will)\b|"
    r"\b(?:can|could|would|do|should|will) (?:you|i) (?:help|tell|do|know|show|give|think|please)\b|"
    r"\b(?:is|are) (?:it|there|that)\b",
    re.IGNORECASE,
)
NEW_CLAUSE = re.compile(
    r"(?:,|\b(?:and|but|or)) (?:(?:i|you|we|he|she|they|it|there|this|that|so|but|since|because|even|if|when|what|how|"
    r"who|where|which|is|are|do|does|can|could|would|should|was|to|please)\b|(?:i|you|we|they|he|she)'\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RulesExtractor(Extractor):
    """Finds the verb phrase or the noun phrase after an opener that it knows, in the one sentence that asks."""

    name: str = "rules"

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | ExtractionFailed]]:
        """Yield what was found, in order; what is refused has one of a few reasons."""
        for index, instruction in enumerate(instructions):
            try:
                yield index, extract_by_rules(instruction)
            except ExtractionFailed as reason:
                yield index, reason


def extract_by_rules(instruction: str) -> Extraction:
    """Return the extraction of one instruction. Raises ExtractionFailed; nothing is guessed."""
    asked = find_request(instruction)
    start, forms = match_opener(asked.sentence)
    failure = ExtractionFailed("the instruction ends after its opener")
    for form in forms:
        phrase, tail = _phrase(asked.sentence[start:], form)
        try:
            _check(phrase)
            if asked.context:
                _check_alone(phrase)
            return _extraction(asked.before + asked.sentence[:start], phrase, tail + asked.after, form)
        except ExtractionFailed as error:
            failure = error
    raise failure


def _phrase(body: str, form: Form) -> tuple[str, str]:
    """Split the rest of the sentence into the phrase and what stands after it."""
    shapes = {"works": (WORKS, TAIL), "noun": (WHERE, TAIL)}.get(form, (TAIL,))
    tail = next((found for shape in shapes if (found := shape.search(body))), None)
    cut = tail.start() if tail else len(body)
    return body[:cut], re.sub(r"^\.(?=[?!])", "", body[cut:])  # The full stop of "Jr.?" is the phrase's.


def _check(phrase: str) -> None:
    """Refuse a phrase that no form could make sense of."""
    words = split_words(phrase)
    if not words:
        raise ExtractionFailed("the instruction ends after its opener")
    if strange := STRANGE.search(phrase):
        raise ExtractionFailed("the phrase holds a character whose role is unclear", strange[0])
    if len(words) > MAX_WORDS:
        raise ExtractionFailed(f"the phrase is longer than {MAX_WORDS} words", str(len(words)))
    told = split_words(AND_NOT.sub(" ", phrase))
    if negation := next((word for word in told if word in NEGATIONS or word.endswith("n't")), None):
        raise ExtractionFailed("the phrase holds a negation", negation)
    if slang := next((word for word in words if word in SLANG), None):
        raise ExtractionFailed("the phrase holds slang whose grammar is unclear", slang)
    if found := ANOTHER_QUESTION.search(phrase) or NEW_CLAUSE.search(phrase):
        raise ExtractionFailed("the phrase holds another question or clause", found[0].strip(" ,"))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        raise ExtractionFailed("the phrase only points to something said elsewhere", phrase)


def _check_alone(phrase: str) -> None:
    """Refuse a phrase that points to a sentence which was left out."""
    if pointing := next((word for word in split_words(phrase) if word in OUTSIDE), None):
        raise ExtractionFailed("the phrase points to another sentence", pointing)


def _extraction(head: str, phrase: str, tail: str, form: Form) -> Extraction:
    if form == "base":
        return Extraction(
            phrase, "activity", activity_sentence(phrase).rstrip("."), f"{head}do {placeholder('activity')}{tail}"
        )
    if form == "ing":
        if not is_ing_form(phrase.split()[0]):
            raise ExtractionFailed("the opener is not followed by a verb that the dictionary knows", phrase.split()[0])
        if lemmas(phrase.split()[0].lower()) & STATES:
            raise ExtractionFailed("the verb names a state and not an activity", phrase.split()[0])
        sentence = f"a person is {third_person(phrase)}".rstrip(".")
        return Extraction(phrase, "activity", sentence, f"{head}doing {placeholder('activity')}{tail}")
    tail = WORK.sub(r"\1", tail) if form == "works" else tail
    detoxified = fix_agreement(f"{head}{placeholder('product')}{tail}")
    return Extraction(phrase, "product", product_sentence(phrase).rstrip("."), detoxified)
