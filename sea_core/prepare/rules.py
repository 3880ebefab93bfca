"""The offline extractor: fixed openers, a dictionary, and many refusals. What it is not sure of, it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.prepare.extractor import Extractor, NotExtracted
from sea_core.prepare.leak import placeholder
from sea_core.prepare.nouns import product
from sea_core.prepare.openers import CLOSING, Form, openings
from sea_core.prepare.phrases import activity, third_person
from sea_core.rows import Extraction
from sea_core.words import content_words, is_ing, spoken

MAX_WORDS = 12
ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|[A-Za-z])\.$")
LAST_ABBREVIATION = re.compile(r"\b(?:Jr|Sr|Inc|Co|Corp|Ltd|etc)\.,?$")  # A sentence may end with it.
SENTENCE_END = re.compile(r"(?:[.?!…]+[\"')]*)(?=\s|$)")
# What may stand after the phrase, as sentences of its own or in the same one, and says nothing. The loops are
# possessive, so that no text makes them try every split.
COURTESY = re.compile(rf"(?:{CLOSING}[\s,.?!]*)++", re.IGNORECASE)
TAIL = re.compile(rf"(?:,? (?:{CLOSING}|bro|dude|buddy|though|anyway))*+[\s.?!…]*$", re.IGNORECASE)
# "How does a lock work?": the verb after the noun phrase belongs to the question.
WORK = re.compile(r"\bworks\b")
WORKS = re.compile(r" (?:actually |really )?works?\b[\s.?!…]*$", re.IGNORECASE)
ODD = re.compile(r"https?:|www\.|\w\.(?:com|org|net)\b|[<>{}\[\]|\\*_#@^~=]|^\s*(?:[-•]|\d+[.)])\s", re.IGNORECASE)
STRANGE = re.compile(r"[^A-Za-z0-9 ,.'$%&-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
VAGUE = frozenset("do get make go have take use find put give thing things something stuff way".split())
POINTING = frozenset("it this that these those them".split())
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
    """Finds the verb phrase or the noun phrase after an opener that it knows, in an instruction of one sentence."""

    name: str = "rules"

    def extract(self, instructions: Sequence[str]) -> Iterator[tuple[int, Extraction | NotExtracted]]:
        """Yield what was found, in order; what is refused has one of a few reasons."""
        for index, instruction in enumerate(instructions):
            try:
                yield index, by_rules(instruction)
            except NotExtracted as reason:
                yield index, reason


def by_rules(instruction: str) -> Extraction:
    """Return the extraction of one instruction. Raises NotExtracted; nothing is guessed."""
    text = _one_line(instruction)
    start, forms = openings(text)
    if not forms:
        raise NotExtracted("the instruction does not begin with an opener that the rules know")
    sentence, rest = _first_sentence(text, start)
    failure = NotExtracted("the instruction ends after its opener")
    for form in forms:
        phrase, tail = _phrase(sentence[start:], form)
        try:
            _check(phrase)
            return _extraction(text[:start], phrase, tail + rest, form)
        except NotExtracted as error:
            failure = error
    raise failure


def _one_line(instruction: str) -> str:
    if len([line for line in instruction.splitlines() if line.strip()]) > 1:
        raise NotExtracted("the instruction has more than one line")
    text = " ".join(instruction.split()).replace("’", "'").replace("‘", "'")
    if not re.search("[A-Za-z]", text):
        raise NotExtracted("the instruction holds no English letters")
    if odd := ODD.search(text):
        raise NotExtracted("the instruction holds an address, a list or markup", odd[0].strip())
    return text.lower() if text.isupper() else text


def _first_sentence(text: str, start: int) -> tuple[str, str]:
    """Split off what follows the sentence that begins before `start`; it may be courtesies only."""
    for end in SENTENCE_END.finditer(text, start):
        head, rest = text[: end.end()], text[end.end() :].strip()
        if not rest or ABBREVIATION.search(head) or (LAST_ABBREVIATION.search(head) and rest[0].islower()):
            continue
        if COURTESY.fullmatch(rest):
            return head, " " + rest
        # It may hold the harm that the detoxified text must not.
        raise NotExtracted("the instruction has more than one sentence", rest)
    return text, ""


def _phrase(body: str, form: Form) -> tuple[str, str]:
    """Split the rest of the sentence into the phrase and what stands after it."""
    tail = (WORKS.search(body) if form == "works" else None) or TAIL.search(body)
    cut = tail.start() if tail else len(body)
    return body[:cut], re.sub(r"^\.(?=[?!])", "", body[cut:])  # The full stop of "Jr.?" is the phrase's.


def _check(phrase: str) -> None:
    """Refuse a phrase that no form could make sense of."""
    words = spoken(phrase)
    if not words:
        raise NotExtracted("the instruction ends after its opener")
    if strange := STRANGE.search(phrase):
        raise NotExtracted("the phrase holds a character whose role is unclear", strange[0])
    if len(words) > MAX_WORDS:
        raise NotExtracted(f"the phrase is longer than {MAX_WORDS} words", str(len(words)))
    if negation := next((word for word in words if word in NEGATIONS or word.endswith("n't")), None):
        raise NotExtracted("the phrase holds a negation", negation)
    if slang := next((word for word in words if word in SLANG), None):
        raise NotExtracted("the phrase holds slang whose grammar is unclear", slang)
    if found := ANOTHER_QUESTION.search(phrase) or NEW_CLAUSE.search(phrase):
        raise NotExtracted("the phrase holds another question or clause", found[0].strip(" ,"))
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        raise NotExtracted("the phrase only points to something said elsewhere", phrase)


def _extraction(head: str, phrase: str, tail: str, form: Form) -> Extraction:
    if form == "base":
        return Extraction(phrase, "activity", activity(phrase).rstrip("."), f"{head}do {placeholder('activity')}{tail}")
    if form == "ing":
        if not is_ing(phrase.split()[0]):
            raise NotExtracted("the opener is not followed by a verb that the dictionary knows", phrase.split()[0])
        sentence = f"a person is {third_person(phrase)}".rstrip(".")
        return Extraction(phrase, "activity", sentence, f"{head}doing {placeholder('activity')}{tail}")
    head, tail = _singular(head), WORK.sub("work", tail) if form == "works" else tail
    return Extraction(phrase, "product", product(phrase).rstrip("."), f"{head}{placeholder('product')}{tail}")


def _singular(head: str) -> str:
    """Make the question agree with "this product": "What are" -> "What is", "How do" -> "How does"."""
    for plural, singular in (("are", "is"), ("were", "was"), ("'re", "'s"), ("do", "does")):
        head = re.sub(rf"{plural} $", f"{singular} ", head)
    return head
