"""The offline extractor: known openers and a dictionary. What it does not understand for certain, it skips."""

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
from sea_core.extraction.rules.verb_phrases import NO_VERB, STATE, STATES, activity_sentence, third_person
from sea_core.extraction.rules.vocabulary import CLOSING
from sea_core.extraction.wording import is_latin

MAX_CHARACTERS = 4_000
"""Of an instruction: some rules take time that grows with its square."""
MAX_WORDS = 16
ENGLISH_ONLY = "the rules read English only; --extractor openai or transformers reads any language"
NO_PHRASE = "the instruction ends after its opener"
TAIL = re.compile(rf"(?:,? (?:{CLOSING}|bro|dude|buddy|though|anyway))*+[\s.?!…]*$", re.IGNORECASE)
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\b(work|cost)s\b")
WORKS = re.compile(r" (?:actually |really )?(?:work|cost)s?\b[\s.?!…]*$", re.IGNORECASE)
# Where or when a product is wanted belongs to the question, not to the product.
WHERE = re.compile(
    r" (?:nearby|online|near me|around here|(?:right )?here|today|tonight|right now|(?:really )?cheap|for free|locally|"
    rf"by mail|these days)(?:,? (?:{CLOSING}))*+[\s.?!…]*$",
    re.IGNORECASE,
)
UNUSUAL_CHARACTER = re.compile(r"[^A-Za-z0-9 ,.'$%&-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
AND_NOT = re.compile(r" (?:and|but) not (?=\w)", re.IGNORECASE)  # "steal a lamp and not get caught"
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
VAGUE = frozenset("do get make go have take use find put give thing things something stuff way".split())
POINTING = frozenset("it this that these those them".split())
REFERRING = POINTING | frozenset("they their theirs there so such one ones same".split())
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
    start, forms = match_opener(request.sentence)
    failure = ExtractionFailed(NO_PHRASE)
    for form in forms:
        phrase, tail = _split_tail(request.sentence[start:], form)
        try:
            _check_phrase(phrase)
            if request.has_omissions:
                _check_self_contained(phrase)
            return _make_extraction(request.before + request.sentence[:start], phrase, tail + request.after, form)
        except ExtractionFailed as error:
            failure = error
    raise failure


def _split_tail(body: str, form: Form) -> tuple[str, str]:
    """Split the rest of the sentence into the phrase and what follows it."""
    tails = {"works": (WORKS, TAIL), "noun": (WHERE, TAIL)}.get(form, (TAIL,))
    tail = next((found for pattern in tails if (found := pattern.search(body))), None)
    end = tail.start() if tail else len(body)
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
    positive = split_words(AND_NOT.sub(" ", phrase))
    if negation := next((word for word in positive if word in NEGATIONS or word.endswith("n't")), None):
        raise ExtractionFailed("the phrase has a negation", negation)
    if slang := next((word for word in words if word in SLANG), None):
        raise ExtractionFailed("the phrase has slang whose grammar is unclear", slang)
    if clause := ANOTHER_QUESTION.search(phrase) or NEW_CLAUSE.search(phrase):
        raise ExtractionFailed("the phrase has another question or clause", clause[0].strip(" ,"))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        raise ExtractionFailed("the phrase only refers to something mentioned elsewhere", phrase)


def _check_self_contained(phrase: str) -> None:
    """Raise ExtractionFailed for a phrase that refers to a sentence that was omitted."""
    if reference := next((word for word in split_words(phrase) if word in REFERRING), None):
        raise ExtractionFailed("the phrase refers to another sentence", reference)


def _make_extraction(head: str, phrase: str, tail: str, form: Form) -> Extraction:
    if form == "base":
        sentence = activity_sentence(phrase).rstrip(".")
        return Extraction(phrase, "activity", sentence, f"{head}do {placeholder('activity')}{tail}")
    if form == "ing":
        verb = phrase.split()[0]
        if not is_ing_form(verb):
            raise ExtractionFailed(NO_VERB, verb)
        if lemmas(verb.lower()) & STATES:
            raise ExtractionFailed(STATE, verb)
        sentence = f"a person is {third_person(phrase)}".rstrip(".")
        return Extraction(phrase, "activity", sentence, f"{head}doing {placeholder('activity')}{tail}")
    tail = WORK.sub(r"\1", tail) if form == "works" else tail
    detoxified = fix_agreement(f"{head}{placeholder('product')}{tail}")
    return Extraction(phrase, "product", product_sentence(phrase).rstrip("."), detoxified)
