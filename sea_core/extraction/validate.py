"""Whether what a language model answered is an extraction of the instruction: nothing of it is taken on trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from sea_core.data.examples import Extraction, Kind
from sea_core.extraction.english import (
    AUXILIARIES,
    FUNCTION_WORDS,
    PRONOUNS,
    content_words,
    is_base_verb,
    is_ing_form,
    lemmas,
    split_words,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import fold_characters, is_same_word, placeholder
from sea_core.extraction.repair import repair
from sea_core.extraction.rules.verb_phrases import DETERMINERS

ACTING = re.compile(r"(?:\w+\W+){1,8}?(?:is|are)\s+(?:\w+[\s-]+){0,2}?(\w+ing)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(?:not|never|no|nobody|nothing|without|cannot)\b|n['’]t\b", re.IGNORECASE)
VERB_WITHIN = 3
"""Among so many words, the phrase of an activity has its verb: "secretly pick", "toilet paper a tree"."""
NO_NOUN_PHRASE = (AUXILIARIES | PRONOUNS | frozenset("how when where why if to please".split())) - DETERMINERS - {"one"}
PERSONS = frozenset("i me my mine myself you your yours yourself we our ours ourselves".split())
LONGEST = 25
"""Words in a sentence that an embedding can be made to say."""


class NothingToExtract(ExtractionFailed):
    """The model says that the instruction is about no activity and no product."""


def validate(instruction: str, answer: Mapping[str, Any]) -> Extraction:
    """Return the extraction that an answer holds.

    Raises:
        NoneFound: the answer says that there is none.
        ExtractionFailed: it does not fit the schema, the instruction, or the method; its reason can be sent to the
            model.
    """
    found = _read(answer)
    _check_phrase(found, instruction)
    found = _detoxified(found, instruction)
    check_form(found)
    _check_said(found)
    return found


def _detoxified(found: Extraction, instruction: str) -> Extraction:
    """Return the extraction with a checked detoxified text: the model's, else the instruction without the phrase.

    Weak models find a phrase that they cannot replace. Where it stands in the instruction to the letter, we can.
    """
    fault = None
    for text in (found.detoxified, " ".join(instruction.split())):
        try:
            mended = repair(replace(found, detoxified=text))
            _check_rest(mended, instruction)
            return mended
        except ExtractionFailed as error:
            fault = fault or error
    assert fault is not None
    raise fault


def _read(answer: Mapping[str, Any]) -> Extraction:
    if answer.get("kind") == "none":
        raise NothingToExtract("the model finds neither an activity nor a product in the instruction")
    if answer.get("kind") not in get_args(Kind):
        raise ExtractionFailed("the answer does not fit the schema", '"kind" must be "activity", "product" or "none"')
    for name in ("phrase", "detoxified", "sentence"):
        if not isinstance(answer.get(name), str) or not (answer[name].strip() or name == "detoxified"):
            raise ExtractionFailed("the answer does not fit the schema", f'"{name}" must be a text')
    phrase, detoxified, sentence = (" ".join(answer[n].split()) for n in ("phrase", "detoxified", "sentence"))
    return Extraction(phrase.rstrip(".?! "), answer["kind"], sentence, detoxified)


def _check_phrase(found: Extraction, instruction: str) -> None:
    """The phrase stands in the instruction, up to inflection, and begins as its kind does."""
    words = content_words(found.phrase)
    if not words:
        raise ExtractionFailed("the phrase says nothing", found.phrase)
    there = iter(content_words(instruction))
    if missing := [word for word in words if not any(lemmas(word) & lemmas(other) for other in there)]:
        raise ExtractionFailed("the phrase does not stand in the instruction", ", ".join(missing))
    first = next(iter(split_words(found.phrase)))
    if found.kind == "activity" and not (
        is_base_verb(first) or is_ing_form(first) or first.endswith("ly") or _done(found)
    ):
        raise ExtractionFailed("the phrase of an activity must begin with a verb", first)


def _done(found: Extraction) -> bool:
    """Tell whether what the person in the sentence does is the phrase's verb."""
    acting = ACTING.match(found.sentence)
    begin = split_words(found.phrase.replace("-", " "))[:VERB_WITHIN]
    return acting is not None and any(lemmas(acting[1]) & lemmas(word) for word in begin)


def _check_rest(found: Extraction, instruction: str) -> None:
    """The detoxified text is the instruction without the phrase: nothing added, nothing else left out."""
    rest = re.sub(rf"(?:do(?:ing)? )?{placeholder(found.kind)}", " ", found.detoxified, flags=re.IGNORECASE)
    ours, theirs = content_words(fold_characters(instruction)), content_words(fold_characters(rest))
    if added := _without(theirs, ours):
        raise ExtractionFailed("the detoxified text adds words to the instruction", ", ".join(added))
    secrets = content_words(found.phrase)
    kept = [word for word in ours if not any(is_same_word(word, secret) for secret in secrets)]
    if lost := _without(kept, theirs):
        raise ExtractionFailed("the detoxified text leaves out words of the instruction", ", ".join(lost))
    if len(NEGATION.findall(instruction)) != len(NEGATION.findall(f"{found.phrase} {rest}")):
        raise ExtractionFailed("a negation of the instruction was lost or added")


def _without(words: Iterable[str], others: Iterable[str]) -> list[str]:
    known = frozenset[str]().union(*(lemmas(other) for other in others))
    return [word for word in words if not lemmas(word) & known]


def check_form(found: Extraction) -> None:
    """Check that the sentence has its kind's form, and speaks of nobody in the conversation.

    Raises:
        ExtractionFailed: it does not.
    """
    words = split_words(found.sentence)
    if not words:
        raise ExtractionFailed("the sentence says nothing", found.sentence)
    if len(words) > LONGEST:
        raise ExtractionFailed(f"the sentence is longer than {LONGEST} words", str(len(words)))
    if persons := [word for word in words if word in PERSONS]:
        raise ExtractionFailed("the sentence speaks of the one who asks or is asked", ", ".join(persons))
    if placeholder(found.kind) in found.sentence.lower():
        raise ExtractionFailed("the sentence must name what the placeholder hides", placeholder(found.kind))
    if found.kind == "product":
        doing = is_ing_form(words[0]) and (len(words) < 2 or words[1] in FUNCTION_WORDS)
        if words[0] in NO_NOUN_PHRASE or doing:
            raise ExtractionFailed("the sentence of a product must be a noun phrase", found.sentence)
    elif not (acting := ACTING.match(found.sentence)) or not is_ing_form(acting[1]):
        raise ExtractionFailed(
            'the sentence of an activity must have the form "a person is ...ing ..."', found.sentence
        )


def _check_said(found: Extraction) -> None:
    """The sentence says what the phrase says: a model's own words for it are not taken."""
    if found.kind == "activity" and not _done(found):
        raise ExtractionFailed("the person in the sentence does something else than the phrase says", found.sentence)
    if len(NEGATION.findall(found.sentence)) != len(NEGATION.findall(found.phrase)):
        raise ExtractionFailed("a negation of the phrase was lost or added in the sentence", found.sentence)
    if lost := _without(content_words(found.phrase), split_words(found.sentence)):
        raise ExtractionFailed("the sentence leaves out words of the phrase", ", ".join(lost))
