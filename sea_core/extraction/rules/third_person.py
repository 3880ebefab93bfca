"""The first and second person become the third: "my lamp" becomes "their lamp"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sea_core.extraction.english import (
    AUXILIARIES,
    FUNCTION_WORDS,
    is_base_verb,
    is_past_form,
    lemmas,
    singular_form,
    split_words,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.other_persons import other_person
from sea_core.extraction.rules.phrase_checks import TELLING
from sea_core.extraction.rules.tokens import TOKEN, is_adverb, is_past, neighbour, skip_adverbs

QUOTED = re.compile(r""""[^"]*"|(?<!\w)'[^']*'(?!\w)""")
"""What is quoted keeps its persons."""
SEVERAL_PERSONS = "pronouns of several persons would become the same"
QUOTED_PERSON = "the quoted text has a pronoun, which a sentence in the third person would change"
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
IMPERSONAL: Mapping[str, str] = {"oneself": "themselves", "one's": "their"}
PERSONS = frozenset((*FIRST_PERSON, *SECOND_PERSON, *FIRST_SUBJECTS, "you"))
AS_OTHERS: Mapping[str, str] = {"our": "others'", "us": "others", "my": "someone's", "me": "someone"}
"""Beside a subject who is not whoever asks: "Why do bakers steal our lamps?"."""
WHO_ASKS = re.compile(r"\b(?:our|us|my|me)\b(?! own\b)")
THAT_PERSON: Mapping[str, str] = {"someone's": "that person's", "someone": "that person"}
"""After the first mention."""
OWN: Mapping[str, str] = {"my": "their own", "our": "their own"}
"""Beside others who are "they": "monitor my employee without their knowledge"."""
IMAGES = frozenset("photo photos picture pictures video videos image images recording recordings drawing".split())
THIRD_PLURAL = frozenset("they them their theirs themselves they're they've they'll they'd".split())
THE_PERSON: Mapping[str, str] = {
    "they": "the person",
    "they're": "the person is",
    "they've": "the person has",
    "they'll": "the person will",
    "they'd": "the person would",
    "their": "the person's own",
    "theirs": "the person's own",
}
"""What whoever acts is, where "they" may be others named before: "tell a baker about the person's own lamp"."""


def as_others(text: str) -> str:
    """Return a text about whoever asks as one about somebody else than who acts: "steal my lamp from my house" becomes
    "steal someone's lamp from that person's house".
    """
    found: list[str] = []

    def other(match: re.Match[str]) -> str:
        found.append(AS_OTHERS[match[0]])
        return found[-1] if len(found) == 1 else THAT_PERSON.get(found[-1], found[-1])

    return WHO_ASKS.sub(other, text)


def third_person(text: str, asker: str = "the person") -> str:
    """Replace the first and second person by the third. Raises ExtractionFailed if that is ambiguous, or in quotes.

    Args:
        asker: who "I" is, where "they" may be others: "someone" where the sentence has not named who asks, and "a
            person" where the text has.
    """
    if any({*content} & PERSONS for quote in QUOTED.findall(text) if (content := split_words(quote))):
        raise ExtractionFailed(QUOTED_PERSON)
    tokens = TOKEN.findall(text)
    lowered = [token.lower() for token in tokens]
    first = {word for word in lowered if word in FIRST_PERSON or word in FIRST_SUBJECTS} - {"mine", "us"}
    first |= {"us"} & {*tokens}
    second = any(word in SECOND_PERSON or word == "you" for word in lowered)
    third = next((place for place, word in enumerate(lowered) if word in THIRD_PLURAL), None)
    owns = not second and first <= {*OWN, "myself", "ourselves"} and _names_others(lowered[:third])
    if bool(first) + second + (third is not None) > 1 and not owns:
        raise ExtractionFailed(SEVERAL_PERSONS)
    possessives = OWN if owns and third is not None else {}
    found = [_third_person_token(tokens, index, possessives) for index in range(len(tokens))]
    for index in range(0, len(tokens), 2):
        _make_clear(tokens, found, index, asker)
    return "".join(found)


def _make_clear(tokens: Sequence[str], found: list[str], index: int, asker: str) -> None:
    """Replace a "they" that was not in the text by "the person", if it may be others who were named before.

    Raises ExtractionFailed where "the person" may be somebody else too.
    """
    word = found[index].removesuffix(" own")
    other = other_person(tokens, index, but="person" if asker == "a person" else "")
    if word == tokens[index] or word not in THE_PERSON or not other or _is_clear(tokens, index, other):
        return
    is_named_before = any(token.lower() in OWN for token in tokens[:index])  # "a letter to their landlord about"
    if other.removesuffix("'s") == "person" or (asker == "someone" and (word != "their" or is_named_before)):
        raise ExtractionFailed(SEVERAL_PERSONS, other)
    found[index] = THE_PERSON[word].replace("the person", "someone" if asker == "someone" else "the person")
    if neighbour([*tokens], index, 1) == "own" or asker == "someone":
        found[index] = found[index].removesuffix(" own")
    verb = index + 2 * (1 + skip_adverbs([token.lower() for token in tokens[index + 2 :: 2]]))
    if word == "they" and verb < len(tokens):
        if is_past_form(tokens[verb]):  # "a baker I saw": not "saws"
            raise ExtractionFailed("a verb may be in the past or in the present", tokens[verb])
        found[verb] = singular_form(tokens[verb])


def _is_clear(tokens: Sequence[str], index: int, other: str) -> bool:
    """Return whether a pronoun cannot be others: in "a baker I like", "communities online that I can join".

    Nor can it be in "claim somebody's lamp as my own" or "find a teacher for my dog".
    """
    before = [token.lower() for token in tokens[index - 2 :: -2][:3]] if index else []
    if before[:2] == ["for", other] or (before[:1] == ["as"] and neighbour([*tokens], index, 1) == "own"):
        return True
    if lemmas(tokens[0]) & TELLING:  # "tell a baker (that) I bake"
        return before[0] in ("who", "whom") and other in before[1:]
    return before[:1] == [other] or (before[0] in ("who", "whom", "that") and other in before[1:])


def _names_others(lowered: Sequence[str]) -> bool:
    """Return whether a noun after the first word may be whom a later "they" means."""
    return any("NOUN" in word_classes(word) for word in lowered[2::2])


def _third_person_token(tokens: list[str], index: int, possessives: Mapping[str, str]) -> str:
    word, before = tokens[index].lower(), neighbour(tokens, index, -1)
    if tokens[index] == "US":  # the country
        return tokens[index]
    if word in ("i", "you", "we"):
        return "they" if _is_surely_subject(tokens, index) else _they_or_them(tokens, index)
    if before == "i" and word in ("am", "was"):
        return "are" if word == "am" else "were"
    if word == "mine" and (before == "to" or neighbour(tokens, index, 1) not in {"", *FUNCTION_WORDS}):
        return tokens[index]  # the verb
    if word in ("me", "us") and before == "of" and neighbour(tokens, index - 2, -1) in IMAGES:
        return "themselves"  # "sell photos of me"
    if word in possessives and neighbour(tokens, index, 1) != "own":
        return possessives[word]
    return FIRST_PERSON.get(word) or SECOND_PERSON.get(word) or IMPERSONAL.get(word) or tokens[index]


def _is_surely_subject(tokens: list[str], index: int) -> bool:
    """Return whether a pronoun is a subject: "what you want", "that I actually have"."""
    after, later = neighbour(tokens, index, 1), neighbour(tokens, index + 2, 1)
    if neighbour(tokens, index, -1) in ("what", "who", "where", "how", "when", "why"):
        return is_base_verb(after)
    return is_adverb(after) and (is_base_verb(later) or later in AUXILIARIES)


def _they_or_them(tokens: list[str], index: int) -> str:
    word, after = tokens[index].lower(), neighbour(tokens, index, 1)
    is_verb = after in AUXILIARIES or (is_base_verb(after) and "NOUN" not in word_classes(after))
    before = word_classes(neighbour(tokens, index, -1))
    was_past = is_past(after) and word_classes(after) == {"VERB"} and "VERB" not in before  # not "get you fired"
    is_verb = is_verb or after.endswith("n't") or was_past or after == "ever"
    may_be_verb = "VERB" in word_classes(after)
    if word != "you":
        if is_verb or is_base_verb(after) or may_be_verb:
            return "they"
    elif is_verb:
        return "they"
    elif not after or after in FUNCTION_WORDS or not may_be_verb:
        return "them"
    raise ExtractionFailed("a pronoun's role is unclear", f"{tokens[index]} {after}".strip())
