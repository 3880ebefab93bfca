"""Validate a language model's answer: whether it is an extraction of the instruction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from sea_core.data.examples import Extraction, Kind
from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    PRONOUNS,
    content_words,
    is_base_verb,
    is_ing_form,
    lemmas,
    split_words,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import find_placeholder, fold_characters, is_same_word
from sea_core.extraction.medium import named_medium
from sea_core.extraction.repair import repair
from sea_core.extraction.wording import is_latin, wording_of, wordings

ACTION = re.compile(r"(?:\w+\W+){1,8}?(?:is|are)\s+(?:\w+[\s-]+){0,3}?(\w+ing)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(?:not|never|no|nobody|nothing|without|cannot)\b|n['’]t\b", re.IGNORECASE)
THERE = re.compile(r"\b(?:is|are) there\b", re.IGNORECASE)
VERB_WITHIN = 3
"""The verb of an activity is among this many first words: "secretly pick", "toilet paper a tree"."""
NOT_A_NOUN_PHRASE = (
    (AUXILIARIES | PRONOUNS | frozenset("how when where why if to please".split()))
    - DETERMINERS
    - {"one", "something", "anything"}
)
FIRST_OR_SECOND_PERSON = frozenset("i me my mine myself you your yours yourself we our ours ourselves".split())
MAX_SENTENCE_WORDS = 40
"""Longer sentences are hard to optimise an embedding for."""
MAX_SENTENCE_CHARACTERS = 50
"""The same where characters are counted as words."""


class NothingToExtract(ExtractionFailed):
    """The model finds neither an activity nor a product."""


def validate(instruction: str, answer: Mapping[str, Any]) -> Extraction:
    """Return the extraction in an answer, with small errors repaired.

    Raises:
        NothingToExtract: the model finds nothing to extract.
        ExtractionFailed: the answer does not fit the schema, the instruction, or the method; the reason can be sent to
            the model.
    """
    extraction = _parse(answer)
    _check_phrase(extraction, instruction)
    extraction = _with_detoxified(extraction, instruction)
    check_sentence(extraction)
    _check_sentence_says_phrase(extraction)
    return extraction


def _with_detoxified(extraction: Extraction, instruction: str) -> Extraction:
    """Return the extraction with a valid detoxified text: the model's, or else the instruction without the phrase.

    Weak models find phrases that they fail to replace. If the phrase is in the instruction verbatim, we can.
    """
    first_error = None
    for text in (extraction.detoxified, " ".join(instruction.split())):
        try:
            repaired = repair(replace(extraction, detoxified=text))
            _check_rest(repaired, instruction)
            return repaired
        except ExtractionFailed as error:
            first_error = first_error or error
    assert first_error is not None
    raise first_error


def _parse(answer: Mapping[str, Any]) -> Extraction:
    if answer.get("kind") == "none":
        raise NothingToExtract("the model finds neither an activity nor a product in the instruction")
    if answer.get("kind") not in get_args(Kind):
        raise ExtractionFailed("the answer does not fit the schema", '"kind" must be "activity", "product" or "none"')
    for name in ("phrase", "detoxified", "sentence"):
        if not isinstance(answer.get(name), str) or not (answer[name].strip() or name == "detoxified"):
            raise ExtractionFailed("the answer does not fit the schema", f'"{name}" must be a text')
    phrase, detoxified, sentence = (" ".join(answer[name].split()) for name in ("phrase", "detoxified", "sentence"))
    return Extraction(phrase.rstrip(".?!。？！ "), answer["kind"], sentence, detoxified)


def _check_phrase(extraction: Extraction, instruction: str) -> None:
    """Check that the phrase is in the instruction, up to inflection, and begins as its kind requires."""
    words = content_words(extraction.phrase)
    if not words:
        raise ExtractionFailed("the phrase has no content", extraction.phrase)
    is_english = is_latin(extraction.phrase)
    if not is_english and _letters(extraction.phrase) in _letters(instruction):
        return  # in many scripts nothing separates words
    remaining = iter(content_words(instruction))
    if missing := [word for word in words if not any(lemmas(word) & lemmas(other) for other in remaining)]:
        raise ExtractionFailed("the phrase is not in the instruction", ", ".join(missing))
    if not is_english:
        return
    if medium := named_medium(extraction.phrase):
        raise ExtractionFailed("the phrase speaks of the medium itself", medium)
    first = next(iter(split_words(extraction.phrase)))
    begins_with_verb = is_base_verb(first) or is_ing_form(first) or first.endswith("ly")
    if extraction.kind == "activity" and not (begins_with_verb or _acts_out_phrase(extraction)):
        raise ExtractionFailed("the phrase of an activity must begin with a verb", first)


def _acts_out_phrase(extraction: Extraction) -> bool:
    """Return whether the verb of the sentence is the verb of the phrase."""
    action = ACTION.match(extraction.sentence)
    first_words = split_words(extraction.phrase.replace("-", " "))[:VERB_WITHIN]
    return action is not None and any(lemmas(action[1]) & lemmas(word) for word in first_words)


def _check_rest(extraction: Extraction, instruction: str) -> None:
    """Check that the detoxified text is the instruction without the phrase, and otherwise unchanged."""
    hidden = find_placeholder(extraction.kind, extraction.detoxified)
    rest = re.sub(rf"(?:do(?:ing)? |进行)?{hidden}", " ", extraction.detoxified, flags=re.IGNORECASE)
    if not is_latin(extraction.phrase):
        cut = _letters(instruction).replace(_letters(extraction.phrase), "")
        if _letters(rest) == cut:
            return
    original, left = content_words(fold_characters(instruction)), content_words(fold_characters(rest))
    is_of_existence = THERE.search(instruction)  # "Are there any lamps?" becomes "Does this product exist?"
    if added := _words_without(left, [*original, *(["exist"] if is_of_existence else [])]):
        raise ExtractionFailed("the detoxified text adds words to the instruction", ", ".join(added))
    secrets = content_words(fold_characters(extraction.phrase))
    kept = [word for word in original if not any(is_same_word(word, secret) for secret in secrets)]
    if lost := _words_without(kept, left):
        raise ExtractionFailed("the detoxified text omits words of the instruction", ", ".join(lost))
    if _count_negations(instruction) != _count_negations(f"{extraction.phrase} {rest}"):
        raise ExtractionFailed("a negation of the instruction was lost or added")


def _letters(text: str) -> str:
    """Return the letters and digits of a text, folded, without spaces and punctuation."""
    return "".join(re.findall(r"\w", fold_characters(text).casefold()))


def _count_negations(text: str) -> int:
    others = (wording.negation for wording in wordings().values() if wording.negation)
    return sum(len(pattern.findall(text)) for pattern in (NEGATION, *others))


def _words_without(words: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return the words of which no form is among the others."""
    known = frozenset[str]().union(*(lemmas(other) for other in others))
    return [word for word in words if not lemmas(word) & known]


def check_sentence(extraction: Extraction) -> None:
    """Check that the sentence has the form of its kind, and is in the third person.

    Raises:
        ExtractionFailed: it does not, or is not.
    """
    sentence, words = extraction.sentence, split_words(extraction.sentence)
    if not words:
        raise ExtractionFailed("the sentence has no words", sentence)
    longest = MAX_SENTENCE_WORDS if is_latin(sentence) else MAX_SENTENCE_CHARACTERS
    if len(words) > longest:
        raise ExtractionFailed(f"the sentence is longer than {longest} words", str(len(words)))
    others = [person for person in wording_of(sentence).persons if person in sentence]
    if persons := [word for word in words if word in FIRST_OR_SECOND_PERSON] + others:
        raise ExtractionFailed("the sentence is in the first or second person", ", ".join(persons))
    if hidden := find_placeholder(extraction.kind, sentence):
        raise ExtractionFailed("the sentence must name what the placeholder hides", hidden)
    if not is_latin(sentence):
        _check_actor(extraction)
    elif extraction.kind == "product":
        is_action = is_ing_form(words[0]) and (len(words) < 2 or words[1] in FUNCTION_WORDS)
        if words[0] in NOT_A_NOUN_PHRASE or is_action:
            raise ExtractionFailed("the sentence of a product must be a noun phrase", sentence)
    elif not (action := ACTION.match(sentence)) or not is_ing_form(action[1]):
        raise ExtractionFailed('the sentence of an activity must have the form "a person is ...ing ..."', sentence)


def _check_actor(extraction: Extraction) -> None:
    """Check the form of a sentence in another script, where the language has one."""
    actor = wording_of(extraction.sentence).actor
    if actor and bool(actor.match(extraction.sentence)) != (extraction.kind == "activity"):
        form = "must say what a person is doing" if extraction.kind == "activity" else "must be a noun phrase"
        raise ExtractionFailed(f"the sentence of the {extraction.kind} {form}", extraction.sentence)


def _check_sentence_says_phrase(extraction: Extraction) -> None:
    """Check that the sentence says what the phrase says, in the same words."""
    phrase, sentence = extraction.phrase, extraction.sentence
    if is_latin(phrase) != is_latin(sentence):
        return  # a translation, which no rule can compare
    if extraction.kind == "activity" and is_latin(phrase) and not _acts_out_phrase(extraction):
        raise ExtractionFailed("the person in the sentence does something else than the phrase says", sentence)
    if _count_negations(sentence) != _count_negations(phrase):
        raise ExtractionFailed("a negation of the phrase was lost or added in the sentence", sentence)
    if lost := _words_without(content_words(phrase), split_words(sentence)):
        raise ExtractionFailed("the sentence omits words of the phrase", ", ".join(lost))
