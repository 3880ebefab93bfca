"""Repair small errors of an extraction: the punctuation of the sentence, and a phrase left in the detoxified text."""

from __future__ import annotations

import re
from dataclasses import replace

from sea_core.data.examples import Extraction, Kind
from sea_core.extraction.english import DETERMINERS, FUNCTION_WORDS, ing_form, is_base_verb
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import find_placeholder, leaked_words, placeholder
from sea_core.extraction.wording import is_latin, wording_of

ACTOR = re.compile(r"^(?:an? |some )?(?:person|people|man|woman|child|boy|girl|someone) (?:is|are) ", re.IGNORECASE)
DETERMINER = "(?:(?:" + "|".join(sorted(DETERMINERS - {"no"})) + r")\s+)?"


def repair(extraction: Extraction) -> Extraction:
    """Return the extraction with a tidy sentence, and a detoxified text with the placeholder and without the phrase.

    Raises:
        ExtractionFailed: the detoxified text leaks and cannot be repaired.
    """
    repaired = replace(extraction, detoxified=_replace_phrase(extraction), sentence=_tidy_sentence(extraction.sentence))
    if not find_placeholder(repaired.kind, repaired.detoxified):
        missing = placeholder(repaired.kind, repaired.detoxified)
        raise ExtractionFailed(f'the detoxified text does not contain "{missing}"')
    actor = wording_of(repaired.sentence).actor or ACTOR
    secrets = f"{repaired.phrase} {actor.sub('', repaired.sentence)}"
    if words := leaked_words(secrets, repaired.detoxified, repaired.kind):
        raise ExtractionFailed("the detoxified text still contains words of the phrase", ", ".join(words))
    return repaired


def _tidy_sentence(sentence: str) -> str:
    """Return the sentence on one line, without its capital and full stop: it continues a target answer."""
    sentence = " ".join(sentence.split()).rstrip(".!。！ ")
    first, _, rest = sentence.partition(" ")
    if first == "A" or (first.lower() in FUNCTION_WORDS and not first.isupper()):
        return f"{first.lower()} {rest}".strip()
    return sentence


def _replace_phrase(extraction: Extraction) -> str:
    """Return the detoxified text with the placeholder wherever it still has the whole phrase, or its -ing form."""
    text, words = extraction.detoxified, extraction.phrase.split()
    if not words:
        return text
    if not is_latin(extraction.phrase):
        return text.replace(extraction.phrase, wording_of(text).replacements[extraction.kind])
    if extraction.kind == "product":
        bare = words[1:] if words[0].lower() in DETERMINERS and len(words) > 1 else words
        text = re.sub(rf"\b{DETERMINER}{_pattern(bare)}s?\b", placeholder("product"), text, flags=re.IGNORECASE)
        return fix_agreement(text)
    is_base = is_base_verb(words[0])
    replacement = f"{'do' if is_base else 'doing'} {placeholder('activity')}"
    text = re.sub(rf"\b{_pattern(words)}\b", replacement, text, flags=re.IGNORECASE)
    if is_base:
        doing = [ing_form(words[0]), *words[1:]]
        text = re.sub(rf"\b{_pattern(doing)}\b", f"doing {placeholder('activity')}", text, flags=re.IGNORECASE)
    return text


def fix_agreement(text: str, kind: Kind = "product") -> str:
    """Make verbs agree with the placeholder: "What are this product?" becomes "What is this product?"."""
    singular = {"are": "is", "were": "was", "'re": "'s", "do": "does"}

    def agree(found: re.Match[str]) -> str:
        verb = singular[found[1].lower()]
        return f"{verb.capitalize() if found[1][0].isupper() else verb} "

    hidden = placeholder(kind)
    text = re.sub(rf"\b({'|'.join(singular)}) (?=(?:there )?{hidden})", agree, text, flags=re.IGNORECASE)
    return re.sub(rf"(?<=\b{hidden} )(are|were) ", agree, text, flags=re.IGNORECASE)


def _pattern(words: list[str]) -> str:
    return r"\s+".join(re.escape(word) for word in words).rstrip(r"\.")
