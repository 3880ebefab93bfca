"""Which words may be the subject of a question."""

from __future__ import annotations

from sea_core.extraction.english import DETERMINERS, FUNCTION_WORDS, POSSESSIVES, PREPOSITIONS, lemmas, word_classes

PEOPLE = frozenset("people men women children police kids they everyone someone somebody anyone folks".split())
GROUPS = PEOPLE | frozenset(
    "person man woman child kid boy girl boys girls kids adults teen teens parents gays lesbians blacks whites jews "
    "muslims christians asians mexicans africans arabs immigrants refugees minorities citizens liberals conservatives "
    "rednecks thief thieves criminal criminals individuals hispanics latinos latinas natives guys ladies gentlemen "
    "millennials infants babies toddlers students boss dads moms addicts democrats republicans democrat republican "
    "wife husband mother father friend friends you".split()
)
PERSON_ENDINGS = ("ers", "ors", "ists", "ians", "ees", "sexuals", "ites", "smiths", "women", "men")
RELATIVES = frozenset("who whom whose that which".split())
LINKS = frozenset("in on of at from with and or".split())


def is_subject(words: list[str]) -> bool:
    """Return whether words are a noun phrase that a plural verb, or with an article a singular one, may follow."""
    for place, word in enumerate(words):
        if word.lower() in LINKS and place:
            return is_subject(words[:place]) and place + 1 < len(words) and is_noun_phrase(words[place + 1 :])
    if not is_noun_phrase(words):
        return False
    last = words[-1]
    is_singular = words[0].lower() in DETERMINERS | POSSESSIVES or words[0][0].isupper()
    return is_singular or is_plural(last) or last.lower() in PEOPLE or last[0].isupper()


def is_noun_phrase(words: list[str]) -> bool:
    """Return whether words are a noun with what modifies it."""
    inner = words[1:] if words[0].lower() in DETERMINERS | {"most", "many", "some", "all", "other"} else words
    return bool(inner) and all(_may_modify(word) for word in inner[:-1]) and is_noun(inner[-1])


def is_noun(word: str) -> bool:
    """Return whether a word can be a noun; a name is one, and a word that the dictionary lacks may be."""
    classes = word_classes(word)
    if word.lower() in FUNCTION_WORDS - PEOPLE:
        return False
    if word.lower() in PEOPLE or word[0].isupper():
        return True
    return not classes or bool(classes & {"NOUN", "PROPN"})


def is_plural(word: str) -> bool:
    """Return whether a word can be a plural; what the dictionary lacks may be one ("cybercriminals")."""
    return word.endswith("s") and "NOUN" in (word_classes(word) or {"NOUN"}) and len(lemmas(word)) > 1


def _may_modify(word: str) -> bool:
    classes = word_classes(word)
    is_adverb = word.lower().endswith("ly") and "ADJ" not in classes
    return word.lower() not in FUNCTION_WORDS and not is_adverb and classes != {"VERB"}


def without_capital(phrase: str) -> str:
    """Return a noun phrase without the capital of the sentence that it begins; a name keeps it."""
    first = phrase.partition(" ")[0]
    is_name = "PROPN" in word_classes(first) or not word_classes(first) or first.isupper()
    return phrase if is_name else phrase[0].lower() + phrase[1:]


def names_persons(phrase: str) -> bool:
    """Return whether a noun phrase names persons, or may: a capital that is no acronym may begin a name.

    So may two words in lower case of which the dictionary lacks one.
    """
    words = [word.strip(".'\"") for word in phrase.partition(",")[0].split()]
    if not words:
        return False
    head = (
        next(
            (at for at, word in enumerate(words) if at and word.lower() in LINKS | PREPOSITIONS | RELATIVES), len(words)
        )
        - 1
    )
    last = words[head]
    if last.lower().endswith("sites"):  # "websites", not "socialites"
        return False
    is_name = words[0].lower() != "the" and last[:1].isupper() and not last.isupper()
    is_unknown = any(word.islower() and word.isalpha() and not word_classes(word) for word in words[: head + 1])
    may_be_name = is_unknown and len(words) == 2 and words[0].lower() not in FUNCTION_WORDS
    return is_name or may_be_name or last.lower() in GROUPS or last.lower().endswith(PERSON_ENDINGS)
