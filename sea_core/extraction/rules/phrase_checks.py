"""What makes a phrase unclear, whatever its form: it is skipped rather than guessed at."""

from __future__ import annotations

import re

from sea_core.extraction.english import content_words, lemmas, split_words, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.context import PERSONS, POINTING, REFERRING, VAGUE
from sea_core.extraction.rules.grammar_errors import find_grammar_error
from sea_core.extraction.rules.vocabulary import any_in
from sea_core.extraction.wording import is_latin

MAX_WORDS = 37
NO_CONTENT = "the phrase only refers to something mentioned elsewhere"
TOO_LITTLE = "the phrase says too little of what is meant"
NO_PHRASE = "the instruction ends after its opener"
COMPARISON = re.compile(r"\bthan\b", re.IGNORECASE)
COMPARED = re.compile(r"\b(?:\w+er|more|less|rather|worse|fewer|different)\b.*\bthan\b", re.IGNORECASE)
UNUSUAL_CHARACTER = re.compile(r"[^\w ,.'$%&()/+\"-]")
NEGATIONS = frozenset(
    "not never cannot cant dont wont didnt doesnt havent hasnt isnt arent wasnt shouldnt couldnt wouldnt".split()
)
MIXED = re.compile(r"\w+ing, (?!\w+ing\b)\w+, (?:and|or) \w+ing\b", re.IGNORECASE)  # "washing, dry, and folding"
NEGATED_WORDS = 3
RELATIVE = re.compile(r"\b(?:that|which|who)(?='s|\b)", re.IGNORECASE)
AND_NOT = re.compile(r" (?:and|but) not (?=\w)", re.IGNORECASE)  # "steal a lamp and not get caught"
NEEDING = frozenset("cause ensure enable become".split())
"""Verbs with which no phrase can end."""
SLANG = frozenset("u ur r y ya yall n b c ppl bc cuz wut dis dat da".split())
ANOTHER_QUESTION = re.compile(
    r"(?:\b(?:how|what|where|why|when)|^who|, who|^which|, which) (?:can|do|does|did|should|would|could|is|are|will)\b|"
    r"\b(?:can|could|would|do|should|will) (?:you|i) (?:help|tell|do|know|show|give|think|please)\b|"
    r"\b(?:is|are) (?:it|there|that)\b",
    re.IGNORECASE,
)
NOT_SHOWN = any_in(
    "ways?, ones?, days?, weeks?, weekends?, months?, years?, mornings?, afternoons?, "
    "evenings?, nights?, times?, season, summer, winter, spring, country, world, planet, city, town, and, or, but, to, "
    "in, on, for, from, with, by, at, into, up, is, was, as, because, if"
)
SHOWN = re.compile(rf"\b(?:this|these) (?!{NOT_SHOWN}\b)\w+", re.IGNORECASE)
# One thing of several, or another one like it: which, something else says.
OTHER = re.compile(
    r"(?<!or )(?<!and )\bsimilar\b(?! to\b)|\bone of (?:these|those|the(?! \w+est\b| most\b))\b|"
    r"^(?:some )?more (?=[\w-]+s\b)(?!.*\bthan\b)",
    re.IGNORECASE,
)
# Things that only a picture can have made known: text that stands alone does not speak of "the licence plate".
KNOWN_THING = re.compile(
    r"\bthe (?:text|ad|wall(?! of an? )|sign(?! language\b)|logo|label|licen[sc]e plate|"
    r"owner of the (?:car|vehicle)|vehicle|(?:dog|cat)'s|"
    r"[\w-]+'s name|router|knife)\b(?! (?-i:[A-Z]))|"  # not "the Wall Street Journal"
    r"\bthe (?:man|woman|boy|girl|guy|lady|building|scene)(?=$|'s\b| (?:in|on) the\b)|\bthe car(?='s\b| based on\b)|"
    r"^(?:create|generate|write|make|compose) .*\b(?:caption|meme|joke|story|poem|tweet|description)\b.*"
    r"\bthe (?:cat|dog|animal|bird|horse|baby|child|car|house|food)"
    r"(?=$|'s\b| (?:in|on|is|as|with)\b)",
    re.IGNORECASE,
)
# "a scene in detail of": words of the request within the phrase.
OF_REQUEST = re.compile(r" (?:in (?:\w+ )?detail|step[ -]by[ -]step) (?!guide|instruction)", re.IGNORECASE)
# "the best place to hide myself that nobody knows": the clause belongs to a word of the opener.
LATE_CLAUSE = re.compile(
    r"\b(?P<before>\w+) (?:myself|yourself|themselves|me|it|them|him|her) (?:that|which)\b", re.IGNORECASE
)
TELLING = frozenset("convince persuade tell show assure remind teach inform warn promise".split())
"""Verbs that "that" may follow: "convince him that ..."."""
INDIRECT = frozenset("who what where when how".split())
NEW_CLAUSE = re.compile(
    r"(?:,|\b(?:and|but|or)) (?:(?:i|you|we|he|she|they|it|there|this|that(?= (?:would|is|was|will))|"
    r"so(?! (?:that )?(?:\w+ ){1,2}(?:can|could|will|would|won't|don't)\b)|"
    r"but|since|because|even(?= (?:though|if|when))|if|when|what|how|"
    r"who(?! (?:(?!(?:is|was|does|has) )\w+(?:s|ed)|had|have) )|where|"
    r"which|is|are|do|does|can|could|would|should|was|please)\b|(?:i|you|we|they|he|she)'\w+)",
    re.IGNORECASE,
)


def check_phrase(phrase: str, actor: str) -> None:
    """Raise ExtractionFailed for a phrase that is unclear in every form."""
    words = split_words(phrase)
    if not words:
        raise ExtractionFailed(NO_PHRASE)
    _check_words(phrase, words)
    _check_grammar(phrase, words)
    if clause := ANOTHER_QUESTION.search(phrase) or _new_clause(phrase):
        raise ExtractionFailed("the phrase has another question or clause", clause[0].strip(" ,"))
    if not actor and (person := _person_not_named(words)):
        raise ExtractionFailed("a pronoun refers to a person that the phrase does not name", person)
    content = [word for word in content_words(phrase) if word not in VAGUE]
    if not content or (len(content) == 1 and POINTING & set(words) and words[0] == content[0]):
        refers = POINTING | PERSONS | REFERRING | {"do"}
        raise ExtractionFailed(NO_CONTENT if refers & {*words} else TOO_LITTLE, phrase)


def _check_words(phrase: str, words: list[str]) -> None:
    """Raise ExtractionFailed for characters and words whose role is unclear, and for a phrase that says what is not."""
    if unusual := UNUSUAL_CHARACTER.search(phrase):
        raise ExtractionFailed("the phrase has a character whose role is unclear", unusual[0])
    if other := next((char for char in phrase if char.isalpha() and not is_latin(char)), ""):
        raise ExtractionFailed("the phrase has a word in another script", other)
    if len(words) > MAX_WORDS:
        raise ExtractionFailed(f"the phrase is longer than {MAX_WORDS} words", str(len(words)))
    # "kill a plant that won't grow": the negation belongs to a later verb.
    positive = split_words(RELATIVE.split(AND_NOT.sub(" ", phrase))[0])[:NEGATED_WORDS]
    if negation := next((word for word in positive if word in NEGATIONS or word.endswith("n't")), None):
        raise ExtractionFailed("the phrase has a negation", negation)
    if phrase.count('"') % 2:
        raise ExtractionFailed("the phrase has a character whose role is unclear", '"')
    if slang := next((word for word in phrase.split() if word in SLANG), None):
        raise ExtractionFailed("the phrase has slang whose grammar is unclear", slang)


def _check_grammar(phrase: str, words: list[str]) -> None:
    """Raise ExtractionFailed for a phrase that is no whole phrase, or that speaks of what only a picture shows."""
    if COMPARISON.search(phrase) and not COMPARED.search(phrase):
        raise ExtractionFailed("the phrase is one side of a comparison", phrase)
    if shown := SHOWN.search(phrase) or OTHER.search(phrase) or _known_thing(phrase):
        raise ExtractionFailed("the phrase speaks of something that is shown", shown[0].strip())
    if error := find_grammar_error(phrase):
        raise ExtractionFailed("the phrase has an error of grammar", error)
    if words[-2:-1] == ["to"] and words[-1] in NEEDING:
        raise ExtractionFailed("the verb lacks its object", words[-1])
    if MIXED.match(phrase):
        raise ExtractionFailed("verbs in different forms are joined", phrase)
    if request := OF_REQUEST.search(phrase):
        raise ExtractionFailed("the phrase has words of the request", request[0].strip())
    if (clause := LATE_CLAUSE.search(phrase)) and not lemmas(clause["before"]) & TELLING:
        raise ExtractionFailed("the phrase has another question or clause", clause[0])


def _person_not_named(words: list[str]) -> str:
    """Return the first "he" or "her" that no noun of the phrase precedes: of "meet her", not of "hug a man and his"."""
    for at, word in enumerate(words):
        if word in PERSONS and not any(
            {"NOUN", "PROPN"} & (word_classes(other.removesuffix("'s")) or {"PROPN"}) for other in words[1:at]
        ):
            return word
    return ""


def _known_thing(phrase: str) -> re.Match[str] | None:
    """Return a thing with "the" that the phrase has not named before: not of "buy a dog and feed the dog"."""
    found = KNOWN_THING.search(phrase)
    return None if found and found[0].split()[-1] in split_words(phrase[: found.start()]) else found


def _new_clause(phrase: str) -> re.Match[str] | None:
    """Return the beginning of another clause, but not of a second indirect question: "about who I am or what I do"."""
    found = NEW_CLAUSE.search(phrase)
    word = split_words(found[0])[-1] if found else ""
    is_second = word in INDIRECT and found and {*split_words(phrase[: found.start()])} & INDIRECT
    return None if is_second else found
