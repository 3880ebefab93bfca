"""Verb phrases become sentences in the third person: "steal my lamp" becomes "a person is stealing their lamp"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    NEW_VERBS,
    POSSESSIVES,
    ing_form,
    is_base_verb,
    is_ing_form,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed

TOKEN = re.compile(r"[A-Za-z0-9$]+(?:[.'-][A-Za-z0-9]+)*|[^A-Za-z0-9$]+")

NO_VERB = "the opener is not followed by a verb that the dictionary knows"
STATE = "the verb names a state and not an activity"
INFORMATION = "the request is for information and not for an activity"
DEPENDENT_VERB = "one verb depends on another"

FIRST_PERSON: Mapping[str, str] = {
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
SECOND_PERSON: Mapping[str, str] = {
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
FIRST_SUBJECTS = frozenset(("i", "we"))
THIRD_PLURAL = frozenset("they them their theirs themselves they're they've they'll they'd".split())

STATES = frozenset(
    "be know want need like love hate own believe understand mean seem belong prefer deserve feel think suppose "
    "wish see".split()
)
# With these objects, "have" names an activity.
HAD_ACTIVITIES = frozenset("sex fun an affair party children child kids baby babies intercourse".split())
# Another verb in its base form may follow these ("let him fall", "go steal").
NESTING = frozenset("make let help have watch see hear go come dare try be".split())
# Words that may be nouns but are verbs after "and" or "then".
VERBS_AFTER_AND = frozenset(
    "steal take make get kill leave sell run rob go put keep hide use give hurt turn throw set move come find "
    "buy break cut burn blow beat shoot force trick tell ask let have pretend claim start stop drive eat walk".split()
)
# Verbs that would give two -ing forms in a row ("keeping stealing").
ASPECTS = frozenset("keep start stop begin continue quit".split())
INFORMING = frozenset("give show teach explain help provide send answer walk talk guide".split())
ADVERBS = frozenset("just really even best quickly fast still always also together once".split())


def activity_sentence(phrase: str) -> str:
    """Return the sentence for a verb phrase in its base form: "a person is stealing a lamp".

    Raises:
        ExtractionFailed: the phrase does not begin with a verb, or its third person is ambiguous.
    """
    tokens = TOKEN.findall(phrase)
    verb = _find_verb(tokens)
    _check_activity(tokens, verb)
    for index in {verb, *_find_conjoined_verbs(tokens, verb)}:
        tokens[index] = ing_form(tokens[index])
    return "a person is " + third_person("".join(tokens))


def third_person(text: str) -> str:
    """Replace the first and second person by the third. Raises ExtractionFailed if that is ambiguous."""
    tokens = TOKEN.findall(text)
    lowered = [token.lower() for token in tokens]
    first = any(word in FIRST_PERSON or word in FIRST_SUBJECTS for word in lowered if word != "us") or "us" in tokens
    second = any(word in SECOND_PERSON or word == "you" for word in lowered)
    third = any(word in THIRD_PLURAL for word in lowered)
    if first + second + third > 1:
        raise ExtractionFailed("pronouns of several persons would become the same")
    return "".join(_third_person_token(tokens, index) for index in range(len(tokens)))


def _third_person_token(tokens: list[str], index: int) -> str:
    word, before = tokens[index].lower(), _neighbour(tokens, index, -1)
    if tokens[index] == "US":  # the country
        return tokens[index]
    if word in ("i", "you", "we"):
        return _they_or_them(tokens, index)
    if before == "i" and word in ("am", "was"):
        return "are" if word == "am" else "were"
    return FIRST_PERSON.get(word) or SECOND_PERSON.get(word) or tokens[index]


def _they_or_them(tokens: list[str], index: int) -> str:
    word, after = tokens[index].lower(), _neighbour(tokens, index, 1)
    is_verb = after in AUXILIARIES or (is_base_verb(after) and "NOUN" not in word_classes(after))
    is_verb = is_verb or after.endswith("n't")
    may_be_verb = "VERB" in word_classes(after)
    if word != "you":
        if is_verb or is_base_verb(after) or may_be_verb:
            return "they"
    elif is_verb:
        return "they"
    elif not after or after in FUNCTION_WORDS or not may_be_verb:
        return "them"
    raise ExtractionFailed("a pronoun's role is unclear", f"{tokens[index]} {after}".strip())


def _find_verb(tokens: list[str]) -> int:
    """Return the index of the first verb; adverbs may precede it ("secretly pick")."""
    for index in range(0, len(tokens), 2):
        word = tokens[index].lower()
        is_adverb = word.endswith("ly") and "ADV" in word_classes(word) and not is_base_verb(word)
        if word not in ADVERBS and not is_adverb:
            break
    if not is_base_verb(word) or word in FUNCTION_WORDS - {"do", "have", "be"}:
        raise ExtractionFailed(NO_VERB, word)
    return index


def _check_activity(tokens: list[str], verb: int) -> None:
    """Raise ExtractionFailed if the verb names no activity, or the next word is, or may be, a verb too."""
    word, after = tokens[verb].lower(), _neighbour(tokens, verb, 1)
    later = {token.lower() for token in tokens[verb + 1 :]}
    if word in STATES or (word == "have" and not later & HAD_ACTIVITIES):
        raise ExtractionFailed(STATE, word)
    if word == "tell" and after in ("if", "whether", "when", "what", "who", "which", "how", "that", "me", "us"):
        raise ExtractionFailed(INFORMATION, f"{word} {after}")
    if (word in INFORMING and after in ("me", "us")) or (word == "ask" and after == "you"):
        raise ExtractionFailed(INFORMATION, f"{word} {after}")
    if word == "use" and after == "to":
        raise ExtractionFailed("the verb lacks its object", "use")
    if _depends_on_verb(tokens, verb):
        raise ExtractionFailed(DEPENDENT_VERB, f"{word} {after}")


def _depends_on_verb(tokens: list[str], verb: int) -> bool:
    """Return whether the word after the verb is, or may be, a second verb or a part of a compound verb."""
    word, after = tokens[verb].lower(), _neighbour(tokens, verb, 1)
    may_be_verb = after not in FUNCTION_WORDS and is_base_verb(after)
    takes_verb = word in ("go", "come", "dare", *NEW_VERBS) or "ADJ" in word_classes(word)
    if may_be_verb and (takes_verb or "NOUN" not in word_classes(after)):
        return True
    if may_be_verb and _neighbour(tokens, verb + 2, 1) in POSSESSIVES:  # "stun gun my sister"
        return True
    return (word in ASPECTS and is_ing_form(after)) or (word in ("try", "go", "come") and after == "and")


def _find_conjoined_verbs(tokens: list[str], first: int) -> list[int]:
    """Return the indices of further verbs of the same person: "lie AND cheat", "break in, THEN steal".

    Raises:
        ExtractionFailed: a word after "and" may be a noun or a verb, or a verb that depends on another.
    """
    found: list[int] = []
    lowered = [token.lower() for token in tokens]
    for index in range(first + 2, len(tokens), 2):
        word, before = lowered[index], lowered[index - 2]
        if before == "not" and index > first + 4:  # "and not laugh"
            before = lowered[index - 4]
        is_conjoined = before in ("and", "or", "then", "but") or "," in tokens[index - 1]
        # A capitalised word that the dictionary lacks is a name; in lower case it may be a misspelt verb.
        is_noun = not is_base_verb(word) if word_classes(word) else not tokens[index].islower()
        if not is_conjoined or is_noun or word in FUNCTION_WORDS - {"do", "have"}:
            continue
        if not _is_surely_verb(lowered, index, first):
            raise ExtractionFailed('a word after "and" may be a noun or a verb', word)
        if lowered[first] in NESTING or {"to", "can", "will", "could", "would"} & set(lowered[first:index]):
            raise ExtractionFailed(DEPENDENT_VERB, word)
        found.append(index)
    return found


def _is_surely_verb(lowered: list[str], index: int, first: int) -> bool:
    word, after = lowered[index], _neighbour(lowered, index, 1)
    if not is_base_verb(word):
        return False
    follows_directly = index == first + 4 and lowered[index - 2] in ("and", "or")
    is_only_verb = not word_classes(word) - {"VERB"}
    return follows_directly or word in VERBS_AFTER_AND or is_only_verb or after in DETERMINERS | {"it", "them"}


def _neighbour(tokens: list[str], index: int, step: int) -> str:
    """Return the next or previous word in lower case; "" at the end or across punctuation."""
    target = index + 2 * step
    if not 0 <= target < len(tokens) or tokens[index + step].strip():
        return ""
    return tokens[target].lower()
