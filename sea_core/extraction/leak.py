"""The leak check: words of the phrase, in any form, that are left in the detoxified text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from sea_core.extraction.english import MAX_WORD, content_words, is_base_verb, lemmas, word_classes
from sea_core.extraction.wording import wording_of, wordings

# Digits and symbols written for letters. A one may be an i or an l.
LEET_TABLES = [str.maketrans("0134578@$!", f"o{letter}eastbasi") for letter in "il"]
AGENT_SUFFIXES = ("er", "or", "ar", "ery", "ry", "ist")
MIXED = re.compile(r"(?<![\w@$!])[@$!]*\w(?:[\w@$!]*\w)?")
SPELT_OUT = re.compile(r"\b\w(?:[ .\-_*]\w){2,}\b")


def placeholder(kind: str, text: str = "") -> str:
    """Return the words that replace the phrase in a text: "this activity" or "this product"; Chinese in Chinese."""
    return wording_of(text).placeholders[kind]


def find_placeholder(kind: str, text: str) -> str:
    """Return the placeholder that a text contains, in any language; "" if it contains none."""
    known = (wording.placeholders[kind] for wording in wordings().values())
    return next((words for words in known if words in text.casefold()), "")


def leaked_words(phrase: str, detoxified: str, kind: str) -> tuple[str, ...]:
    """Return the words of the detoxified text that reveal a content word of the phrase.

    Found are the word itself, its inflections, its agent ("robber"), words with the same stem ("thief", "thieving"),
    typing errors ("stealng"), words joined or split ("lockpick"), spelt out ("s t e a l") or written with digits
    ("st3al"). The placeholder itself is not a leak, even if the phrase contains "activity". Synonyms are not found.
    """
    readings = list(_readings(fold_characters(phrase)))
    secrets = tuple(dict.fromkeys(word for word, joined in readings if not joined))
    joined_secrets = tuple(word for word, joined in readings if joined)
    hidden = find_placeholder(kind, detoxified) or placeholder(kind)
    rest = re.sub(hidden, " ", fold_characters(detoxified), count=1, flags=re.IGNORECASE)
    found = [word for word, joined in _readings(rest) if _reveals(word, joined, secrets, joined_secrets)]
    return tuple(dict.fromkeys(found))


def fold_characters(text: str) -> str:
    """Return the text without accents and invisible characters, and with full-width characters made ordinary."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(
        char for char in decomposed if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )


@cache
def is_same_word(word: str, secret: str) -> bool:
    """Return whether two words are forms of one word, or one is a typing error for the other.

    Two words that are both in the dictionary are never typing errors for each other.
    """
    if _base_forms(word) & _base_forms(secret):
        return True
    if (word_classes(word) and word_classes(secret)) or not (word.isalpha() and secret.isalpha()):
        return False
    return any(_is_typo(ours, theirs) for ours in _inflections(word) for theirs in _inflections(secret))


def _is_typo(word: str, other: str) -> bool:
    """Return whether one letter is missing, added, swapped or wrong, or two in a long word; the first must be right."""
    from rapidfuzz.distance import OSA

    short, long = sorted((len(word), len(other)))
    errors = 2 if short >= 8 else 1 if short >= 4 and long >= 5 else 0
    return word[:1] == other[:1] and OSA.distance(word, other, score_cutoff=errors) <= errors


def _reveals(word: str, joined: bool, secrets: tuple[str, ...], joined_secrets: tuple[str, ...]) -> bool:
    """Return whether a word reveals a secret; two words that were joined for the check must equal one as a whole."""
    candidates = secrets if joined else (*secrets, *joined_secrets)
    if any(_base_forms(word) & _base_forms(secret) for secret in candidates):
        return True
    if joined:
        return False
    return _is_compound(word, secrets) or any(is_same_word(word, secret) for secret in secrets)


def _is_compound(word: str, secrets: tuple[str, ...]) -> bool:
    """Return whether a word consists of two secrets, each of at least three letters."""
    cuts: Iterable[int] = range(3, len(word) - 2)
    if len(word) > 2 * MAX_WORD:  # one part is so long that it has no other form: it must be a secret itself
        ends = {cut for secret in secrets if len(secret) > MAX_WORD for cut in (len(secret), len(word) - len(secret))}
        cuts = [cut for cut in ends if 3 <= cut < len(word) - 2]
    splits = ((word[:cut], word[cut:]) for cut in cuts)
    return any(
        all(any(_base_forms(part) & _base_forms(secret) for secret in secrets) for part in parts) for parts in splits
    )


def _readings(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every content word in each way it may be read; also each two neighbours written as one, with True."""
    words = content_words(text)
    yield from ((word, False) for word in words)
    for mixed in MIXED.findall(text):
        if re.search(r"[A-Za-z]", mixed) and re.search(r"[0-9@$!]", mixed):
            for table in LEET_TABLES:
                yield from ((word, False) for word in content_words(mixed.translate(table)))
    yield from ((re.sub(r"[\W_]", "", spelt).casefold(), False) for spelt in SPELT_OUT.findall(text))
    yield from ((first + second, True) for first, second in pairwise(words))


@cache
def _base_forms(word: str) -> frozenset[str]:
    """Return the base forms of a word, their stems, and the verbs of agents: "robbers" and "robbery" give "rob"."""
    forms = lemmas(word)
    return forms | {_stem(form) for form in forms} | frozenset(verb for form in forms for verb in _agent_verbs(form))


def _agent_verbs(noun: str) -> Iterator[str]:
    """Yield the verbs that a noun may be derived from, sometimes by coincidence ("letter": "let")."""
    for suffix in AGENT_SUFFIXES if len(noun) <= MAX_WORD else ():
        root = noun.removesuffix(suffix)
        if root != noun and len(root) >= 3:
            yield from (verb for verb in (root, f"{root}e", *_undoubled(root)) if is_base_verb(verb))


def _undoubled(root: str) -> tuple[str, ...]:
    return (root[:-1],) if root[-1] == root[-2] else ()


@cache
def _inflections(word: str) -> frozenset[str]:
    """Return the forms that a typing error may stand for."""
    from lemminflect import getAllInflections

    tables = (getAllInflections(form).values() for form in lemmas(word)) if word_classes(word) else ()
    return frozenset({word}.union(*(forms for table in tables for forms in table)))


@cache
def _stem(word: str) -> str:
    """Return the stem; a final f is replaced by v ("thief", "thieving")."""
    import snowballstemmer

    if len(word) > MAX_WORD:
        return word
    stem = str(snowballstemmer.stemmer("english").stemWord(word))
    return stem[:-1] + "v" if len(stem) > 3 and stem.endswith("f") else stem
