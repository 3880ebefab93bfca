"""Repair a sentence's marks, and a detoxified text that still says the phrase; refuse what cannot be repaired."""

from __future__ import annotations

import re
from dataclasses import replace

from sea_core.data.examples import Extraction
from sea_core.extraction.english import FUNCTION_WORDS, ing_form, is_base_verb
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.leak import leaked_words, placeholder
from sea_core.extraction.rules.verb_phrases import DETERMINERS

ACTOR = re.compile(r"^(?:an? |some )?(?:person|people|man|woman|child|boy|girl|someone) (?:is|are) ", re.IGNORECASE)
DETERMINER = "(?:(?:" + "|".join(sorted(DETERMINERS - {"no"})) + r")\s+)?"


def repair(extraction: Extraction) -> Extraction:
    """Return the extraction with a tidy sentence, and a detoxified text that holds the placeholder and nothing of both.

    Raises:
        ExtractionFailed: the text leaks, and could not be repaired.
    """
    mended = replace(extraction, detoxified=_mended(extraction), sentence=_tidy(extraction.sentence))
    if placeholder(mended.kind) not in mended.detoxified.casefold():
        raise ExtractionFailed(f'the detoxified text does not say "{placeholder(mended.kind)}"')
    if words := leaked_words(f"{mended.phrase} {ACTOR.sub('', mended.sentence)}", mended.detoxified, mended.kind):
        raise ExtractionFailed("the detoxified text still holds words of the phrase", ", ".join(words))
    return mended


def _tidy(sentence: str) -> str:
    """Return the sentence in one line, without its capital and its full stop: an answer goes on with it."""
    sentence = " ".join(sentence.split()).rstrip(".! ")
    opener, _, rest = sentence.partition(" ")
    if opener == "A" or (opener.lower() in FUNCTION_WORDS and not opener.isupper()):
        return f"{opener.lower()} {rest}".strip()
    return sentence


def _mended(extraction: Extraction) -> str:
    """Put the placeholder where the whole phrase still stands, in its own form or in -ing."""
    text, words = extraction.detoxified, extraction.phrase.split()
    if not words:
        return text
    if extraction.kind == "product":
        bare = words[1:] if words[0].lower() in DETERMINERS and len(words) > 1 else words
        text = re.sub(rf"\b{DETERMINER}{_pattern(bare)}s?\b", placeholder("product"), text, flags=re.IGNORECASE)
        return fix_agreement(text)
    base = is_base_verb(words[0])
    text = re.sub(rf"\b{_pattern(words)}\b", f"{'do' if base else 'doing'} {placeholder('activity')}", text, flags=re.I)
    if base:
        doing = [ing_form(words[0]), *words[1:]]
        text = re.sub(rf"\b{_pattern(doing)}\b", f"doing {placeholder('activity')}", text, flags=re.IGNORECASE)
    return text


def fix_agreement(text: str) -> str:
    """Make a question agree with "this product": "What are this product?" -> "What is this product?"."""
    for plural, singular in (("are", "is"), ("were", "was"), ("'re", "'s"), ("do", "does")):
        text = re.sub(rf"\b{plural} (?={placeholder('product')})", f"{singular} ", text, flags=re.IGNORECASE)
    return text


def _pattern(words: list[str]) -> str:
    return r"\s+".join(re.escape(word) for word in words).rstrip(r"\.")
