"""The leak check: what is left of the phrase in the text that shall hold nothing of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from sea_core.extraction.english import content_words, is_base_verb, lemmas, word_classes

# Digits and signs that people write for letters. A one may be an i or an l.
LEET = [str.maketrans("0134578@$!", f"o{one}eastbasi") for one in "il"]
DOERS = ("er", "or", "ar", "ery", "ry", "ist")
MIXED = re.compile(r"(?<!\w)[\w@$!]*\w")
SPELT_OUT = re.compile(r"\b\w(?:[ .\-_*]\w){2,}\b")


def placeholder(kind: str) -> str:
    """Return the words that stand for the phrase: "this activity" or "this product"."""
    return f"this {kind}"


def leaked_words(phrase: str, detoxified: str, kind: str) -> tuple[str, ...]:
    """Return the words of the detoxified text that give a content word of the phrase away.

    Found are the word itself, its inflections, who does it ("robber"), what is derived from its stem ("thief",
    "thieving"), slips of the pen
    ("stealng"), parts written together or apart ("lockpick"), spelt out ("s t e a l") or with digits ("st3al"). The
    placeholder itself is no leak, though the phrase may speak of an activity. Synonyms are not seen.
    """
    secrets = tuple(dict.fromkeys(word for word, joined in _words(fold_characters(phrase)) if not joined))
    pairs = tuple(word for word, joined in _words(fold_characters(phrase)) if joined)
    rest = re.sub(placeholder(kind), " ", fold_characters(detoxified), count=1, flags=re.IGNORECASE)
    found = [word for word, joined in _words(rest) if _gives_away(word, joined, secrets, pairs)]
    return tuple(dict.fromkeys(found))


def fold_characters(text: str) -> str:
    """Return the text without accents, invisible characters and look-alikes of another width."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in spread if not unicodedata.combining(sign) and unicodedata.category(sign) != "Cf")


@cache
def is_same_word(word: str, secret: str) -> bool:
    """Tell whether two words are forms of one word, or one a slip of the pen for the other.

    A word that the dictionary has is no slip for another one that it has.
    """
    if _forms(word) & _forms(secret):
        return True
    if (word_classes(word) and word_classes(secret)) or not (word.isalpha() and secret.isalpha()):
        return False
    return any(_slip(ours, theirs) for ours in _inflected(word) for theirs in _inflected(secret))


def _slip(word: str, other: str) -> bool:
    """Tell whether one letter was missed, added, swapped or mistaken, or two in a long word; the first one stands."""
    from rapidfuzz.distance import OSA

    short, long = sorted((len(word), len(other)))
    slips = 2 if short >= 8 else 1 if short >= 4 and long >= 5 else 0
    return word[:1] == other[:1] and OSA.distance(word, other, score_cutoff=slips) <= slips


def _gives_away(word: str, joined: bool, secrets: tuple[str, ...], pairs: tuple[str, ...]) -> bool:
    """Tell whether a word does; of two words that were joined for the check, only the whole counts."""
    if any(_forms(word) & _forms(secret) for secret in (secrets if joined else (*secrets, *pairs))):
        return True
    if joined:
        return False
    cuts = ((word[:cut], word[cut:]) for cut in range(3, len(word) - 2))
    made_of = any(all(any(_forms(part) & _forms(s) for s in secrets) for part in parts) for parts in cuts)
    return made_of or any(is_same_word(word, secret) for secret in secrets)


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every content word in each way it may be read, and (joined) each two neighbours written as one."""
    words = content_words(text)
    yield from ((word, False) for word in words)
    for mixed in MIXED.findall(text):
        if re.search(r"[A-Za-z]", mixed) and re.search(r"[0-9@$!]", mixed):
            for table in LEET:
                yield from ((word, False) for word in content_words(mixed.translate(table)))
    yield from ((re.sub(r"[\W_]", "", spelt).casefold(), False) for spelt in SPELT_OUT.findall(text))
    yield from ((first + second, True) for first, second in pairwise(words))


@cache
def _forms(word: str) -> frozenset[str]:
    """Return the base forms of a word, their stems, and the verbs of those who do it: "robbers", "robbery": rob."""
    found = lemmas(word)
    return found | {_stem(form) for form in found} | frozenset(verb for form in found for verb in _done(form))


def _done(noun: str) -> Iterator[str]:
    """Yield the verbs that a noun may be derived from; now and then by chance ("letter": let)."""
    for suffix in DOERS:
        root = noun.removesuffix(suffix)
        if root != noun and len(root) >= 3:
            yield from (verb for verb in (root, f"{root}e", *_undoubled(root)) if is_base_verb(verb))


def _undoubled(root: str) -> tuple[str, ...]:
    return (root[:-1],) if root[-1] == root[-2] else ()


@cache
def _inflected(word: str) -> frozenset[str]:
    """Return the forms that a slip of the pen may have been meant for."""
    from lemminflect import getAllInflections

    every = (getAllInflections(form).values() for form in lemmas(word)) if word_classes(word) else ()
    return frozenset({word}.union(*(group for groups in every for group in groups)))


@cache
def _stem(word: str) -> str:
    """Return the stem; a final f and v are one sound ("thief", "thieving")."""
    import snowballstemmer

    stem = str(snowballstemmer.stemmer("english").stemWord(word))
    return stem[:-1] + "v" if len(stem) > 3 and stem.endswith("f") else stem
