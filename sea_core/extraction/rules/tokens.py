"""The words of a phrase with what stands between them, and which of them are adverbs or verbs in the past."""

from __future__ import annotations

import re

from sea_core.extraction.english import is_base_verb, is_ing_form, word_classes

TOKEN = re.compile(r"(?:[^\W_]|\$)+(?:[.'-][^\W_]+)*|(?:(?!\$)[\W_])+")
ADVERBS = frozenset("just really even best quickly fast still always also together once".split())


def neighbour(tokens: list[str], index: int, step: int) -> str:
    """Return the next or previous word in lower case; "" at the end or across punctuation."""
    target = index + 2 * step
    if not 0 <= target < len(tokens) or tokens[index + step].strip():
        return ""
    return tokens[target].lower()


def skip_adverbs(words: list[str]) -> int:
    """Return the index of the first word that is no adverb: 1 for "secretly pick", 3 for "quickly and quietly pick"."""
    for index, word in enumerate(words):
        joins = word in ("and", "but") and 0 < index < len(words) - 1 and is_adverb(words[index + 1])
        if word not in ADVERBS and not is_adverb(word) and not joins:
            return index
    return len(words) - 1


def is_adverb(word: str) -> bool:
    return word.endswith("ly") and "ADV" in (word_classes(word) or {"ADV"}) and not is_base_verb(word)


def is_past(word: str) -> bool:
    """Return whether a word is a verb in the past, and can be no base form."""
    return "VERB" in word_classes(word) and not is_base_verb(word) and not is_ing_form(word) and not word.endswith("s")
