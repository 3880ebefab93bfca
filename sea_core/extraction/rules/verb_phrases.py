"""Phrases into the third person: "steal my lamp" -> "stealing their lamp"; and the checks that keep it honest."""

from __future__ import annotations

import re

from sea_core.extraction.english import (
    AUXILIARIES,
    FUNCTION_WORDS,
    NEW_VERBS,
    ing_form,
    is_base_verb,
    is_ing_form,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed

TOKEN = re.compile(r"[A-Za-z0-9$]+(?:[.'-][A-Za-z0-9]+)*|[^A-Za-z0-9$]+")

SUBJECTS = {"i": "they", "we": "they"}
FIRST = {
    "me": "them",
    "us": "them",
    "my": "their",
    "our": "their",
    "mine": "theirs",
    "ours": "theirs",
    "myself": "themselves",
    "ourselves": "themselves",
    "i'm": "they're",
    "im": "they're",
    "i've": "they've",
    "ive": "they've",
    "i'll": "they'll",
    "i'd": "they'd",
    "we're": "they're",
    "we've": "they've",
    "we'll": "they'll",
    "we'd": "they'd",
}
SECOND = {
    "your": "their",
    "yours": "theirs",
    "yourself": "themselves",
    "yourselves": "themselves",
    "you're": "they're",
    "youre": "they're",
    "you've": "they've",
    "you'll": "they'll",
    "you'd": "they'd",
}
THIRD_PLURAL = frozenset("they them their theirs themselves they're they've they'll they'd".split())

STATES = frozenset(
    "be know want need like love hate own believe understand mean seem belong prefer deserve feel think suppose "
    "wish see".split()
)
HELD = frozenset("sex fun an affair party children child kids baby babies intercourse".split())
# Verbs after which another verb in its base form follows ("let him fall", "go steal").
NESTING = frozenset("make let help have watch see hear go come dare try be".split())
# Words that the dictionary has as nouns too, and that are verbs all the same after "and" or "then".
VERBS_AFTER_AND = frozenset(
    "steal take make get kill leave sell run rob go put keep hide use give hurt turn throw set move come find "
    "buy break cut burn blow beat shoot force trick tell ask let have pretend claim start stop drive eat walk".split()
)
# Verbs that would give two -ing forms in a row ("keeping stealing").
ASPECTS = frozenset("keep start stop begin continue quit".split())
TELLING = frozenset("give show teach explain help provide send answer walk talk guide".split())
ADVERBS = frozenset("just really even best quickly fast still always also together once".split())
OWNERS = frozenset("a an the my your his her our their".split())
DETERMINERS = OWNERS | frozenset("its this that these those some any all".split())


def activity_sentence(phrase: str) -> str:
    """Return the full sentence that a verb phrase in its base form stands for: "a person is stealing a lamp".

    Raises:
        ExtractionFailed: when the phrase does not begin with a verb, or its third person cannot be told for sure.
    """
    tokens = TOKEN.findall(phrase)
    verb = _verb_at(tokens)
    _refuse_state(tokens, verb)
    verbs = {verb, *_conjoined(tokens, verb)}
    for index in verbs:
        tokens[index] = ing_form(tokens[index])
    return "a person is " + third_person("".join(tokens))


def third_person(text: str) -> str:
    """Replace the first and second person by the third. Raises ExtractionFailed where the words leave a doubt."""
    tokens = TOKEN.findall(text)
    lowered = [token.lower() for token in tokens]
    first = any(word in FIRST or word in SUBJECTS for word in lowered if word != "us") or "us" in tokens
    second = any(word in SECOND or word == "you" for word in lowered)
    third = any(word in THIRD_PLURAL for word in lowered)
    if first + second + third > 1:
        raise ExtractionFailed("pronouns of several persons would fall together")
    return "".join(_pronoun(tokens, index) for index in range(len(tokens)))


def _pronoun(tokens: list[str], index: int) -> str:
    word, before = tokens[index].lower(), _neighbour(tokens, index, -1)
    if tokens[index] == "US":  # The country.
        return tokens[index]
    if word in ("i", "you", "we"):
        return _subject_or_object(tokens, index)
    if before == "i" and word in ("am", "was"):
        return "are" if word == "am" else "were"
    return FIRST.get(word) or SECOND.get(word) or tokens[index]


def _subject_or_object(tokens: list[str], index: int) -> str:
    word, after = tokens[index].lower(), _neighbour(tokens, index, 1)
    verb = after in AUXILIARIES or (is_base_verb(after) and "NOUN" not in word_classes(after)) or after.endswith("n't")
    if word != "you":
        if verb or is_base_verb(after) or "VERB" in word_classes(after):
            return "they"
    elif verb:
        return "they"
    elif not after or after in FUNCTION_WORDS or "VERB" not in word_classes(after):
        return "them"
    raise ExtractionFailed("a pronoun's role is unclear", f"{tokens[index]} {after}".strip())


def _verb_at(tokens: list[str]) -> int:
    """Return where the first verb stands; adverbs may stand before it ("secretly pick")."""
    for index in range(0, len(tokens), 2):
        word = tokens[index].lower()
        if word not in ADVERBS and not (word.endswith("ly") and "ADV" in word_classes(word) and not is_base_verb(word)):
            break
    if not is_base_verb(word) or word in FUNCTION_WORDS - {"do", "have", "be"}:
        raise ExtractionFailed("the opener is not followed by a verb that the dictionary knows", word)
    return index


def _refuse_state(tokens: list[str], verb: int) -> None:
    word, after = tokens[verb].lower(), _neighbour(tokens, verb, 1)
    later = {token.lower() for token in tokens[verb + 1 :]}
    if word in STATES or (word == "have" and not later & HELD):
        raise ExtractionFailed("the verb names a state and not an activity", word)
    if word == "tell" and after in ("if", "whether", "when", "what", "who", "which", "how", "that", "me", "us"):
        raise ExtractionFailed("the request is to be told something, which is no activity", f"{word} {after}")
    if (word in TELLING and after in ("me", "us")) or (word == "ask" and after == "you"):
        raise ExtractionFailed("the request is to be told something, which is no activity", f"{word} {after}")
    leads = word in ("go", "come", "dare", *NEW_VERBS) or "ADJ" in word_classes(word)
    second = after not in FUNCTION_WORDS and is_base_verb(after) and (leads or "NOUN" not in word_classes(after))
    if word == "use" and after == "to":
        raise ExtractionFailed("the verb lacks its object", "use")
    # "stun gun my sister": what follows may be a part of the verb.
    compound = is_base_verb(after) and after not in FUNCTION_WORDS and _neighbour(tokens, verb + 2, 1) in OWNERS
    if (
        second
        or compound
        or (word in ASPECTS and is_ing_form(after))
        or (word in ("try", "go", "come") and after == "and")
    ):
        raise ExtractionFailed("one verb depends on another", f"{word} {after}")


def _conjoined(tokens: list[str], first: int) -> list[int]:
    """Return where further verbs of the same person stand: "lie AND cheat", "break in, THEN steal".

    Raises:
        ExtractionFailed: when a word after "and" may be a noun or a verb, or a verb that depends on another.
    """
    found: list[int] = []
    lowered = [token.lower() for token in tokens]
    for index in range(first + 2, len(tokens), 2):
        word, before = lowered[index], lowered[index - 2]
        if before == "not" and index > first + 4:  # "and not laugh"
            before = lowered[index - 4]
        joined = before in ("and", "or", "then", "but") or "," in tokens[index - 1]
        # A word that the dictionary lacks is a name, or may be a slip of the pen for a verb.
        known_noun = not is_base_verb(word) if word_classes(word) else not tokens[index].islower()
        if not joined or known_noun or word in FUNCTION_WORDS - {"do", "have"}:
            continue
        if not _surely_verb(lowered, index, first):
            raise ExtractionFailed('a word after "and" may be a noun or a verb', word)
        if lowered[first] in NESTING or {"to", "can", "will", "could", "would"} & set(lowered[first:index]):
            raise ExtractionFailed("one verb depends on another", word)
        found.append(index)
    return found


def _surely_verb(lowered: list[str], index: int, first: int) -> bool:
    word, after = lowered[index], _neighbour(lowered, index, 1)
    if not is_base_verb(word):
        return False
    directly = index == first + 4 and lowered[index - 2] in ("and", "or")
    return (
        directly
        or word in VERBS_AFTER_AND
        or not word_classes(word) - {"VERB"}
        or after in DETERMINERS | {"it", "them"}
    )


def _neighbour(tokens: list[str], index: int, step: int) -> str:
    """Return the next or the previous word in lower case; empty at the end and across punctuation."""
    target = index + 2 * step
    if not 0 <= target < len(tokens) or tokens[index + step].strip():
        return ""
    return tokens[target].lower()
