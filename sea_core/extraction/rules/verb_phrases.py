"""Verb phrases become sentences in the third person: "steal my lamp" becomes "a person is stealing their lamp"."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.extraction.english import (
    FUNCTION_WORDS,
    POSSESSIVES,
    PREPOSITIONS,
    ing_form,
    is_base_verb,
    is_ing_form,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.joined_verbs import DEPENDENT_VERB, OBJECTS, find_joined_verbs
from sea_core.extraction.rules.third_person import third_person
from sea_core.extraction.rules.tokens import TOKEN, neighbour, skip_adverbs

NO_VERB = "the opener is not followed by a verb that the dictionary knows"
STATE = "the verb names a state and not an activity"
INFORMATION = "the request is for information and not for an activity"
STATES = frozenset(
    "be know want need like love hate own believe understand mean seem belong prefer deserve feel think suppose "
    "wish see hear compare differ".split()
)
SENSES = frozenset("smell look sound taste seem stink".split())
SENSED = frozenset("so like that bad good weird funny".split())
# With these objects, "have" names an activity.
HAD_ACTIVITIES = frozenset("access sex fun affair party children child kids baby babies intercourse".split())
PARTICLES = frozenset("open free loose rid clear dry".split())
# The first parts of compound verbs that people write as two words: "stun gun", "dry clean".
COMPOUNDS = frozenset("stun dry hot jump drop ghost catfish test toilet spray double".split())
# Verbs that would give two -ing forms in a row ("keeping stealing").
ASPECTS = frozenset("keep start stop begin continue quit".split())
INFORMING = frozenset("give show teach explain help provide send answer walk talk guide".split())
# Asked of the assistant itself, these are requests to be told something, or to behave in a way.
ADDRESSED = frozenset(
    "tell explain describe discuss list name share recommend suggest give provide show answer define identify "
    "determine indicate estimate compare analyze analyse summarize summarise clarify elaborate guess choose "
    "translate convert consider assume imagine pretend act respond reply please note remember thank help ask "
    "guide assist advise talk say state read check interpret mention specify comment caption count detect recognize "
    "recognise infer assess evaluate rate verify locate zoom focus highlight outline detail rank classify call "
    "depict portray point calculate solve know understand think believe feel teach instruct inform educate "
    "walk demonstrate".split()
)
FEELINGS = frozenset("addicted obsessed interested scared bored born married".split())
"""Participles for what somebody is, and not for what is done to somebody."""


def activity_sentence(phrase: str, asker: str = "the person") -> str:
    """Return the sentence for a verb phrase in its base form: "a person is stealing a lamp".

    Args:
        asker: as `third_person` takes it.

    Raises:
        ExtractionFailed: the phrase does not begin with a verb, or its third person is ambiguous.
    """
    tokens = TOKEN.findall(phrase)
    verb = _find_verb(tokens)
    _check_activity(tokens, verb)
    if verb:
        tokens[0] = tokens[0].lower()
    for index in {verb, *find_joined_verbs(tokens, verb)}:
        tokens[index] = ing_form(tokens[index])
    return "a person is " + third_person("".join(tokens), asker)


def _find_verb(tokens: list[str]) -> int:
    """Return the index of the first verb; adverbs may precede it."""
    index = 2 * skip_adverbs([token.lower() for token in tokens[::2]])
    word = tokens[index].lower()
    if not is_base_verb(word) or word in FUNCTION_WORDS - {"do", "have", "be"}:
        raise ExtractionFailed(NO_VERB, word)
    return index


def check_asked(phrase: str) -> None:
    """Raise ExtractionFailed for what the assistant is asked to tell, or for how it is asked to behave."""
    tokens = TOKEN.findall(phrase)
    at = _find_verb(tokens)
    verb, after = tokens[at].lower(), neighbour(tokens, at, 1)
    if verb in ADDRESSED or after in ("if", "whether"):
        raise ExtractionFailed(INFORMATION, verb)


def _check_activity(tokens: list[str], verb: int) -> None:
    """Raise ExtractionFailed if the verb names no activity, or the next word is, or may be, a verb too."""
    word, after = tokens[verb].lower(), neighbour(tokens, verb, 1)
    later = [token.lower() for token in tokens[verb + 2 :: 2]]
    is_state = word in STATES and not is_passive([word, *later])
    if is_state or (word == "have" and not {*later} & HAD_ACTIVITIES and not _has_done(later)):
        raise ExtractionFailed(STATE, word)
    if word == "tell" and after in ("if", "whether", "when", "what", "who", "which", "how", "that", "me", "us"):
        raise ExtractionFailed(INFORMATION, f"{word} {after}")
    if (word in INFORMING and after in ("me", "us")) or (word == "ask" and after == "you"):
        raise ExtractionFailed(INFORMATION, f"{word} {after}")
    if word in SENSES and after in SENSED:
        raise ExtractionFailed(STATE, f"{word} {after}")
    if word in ("expect", "hope") and after == "to":  # "how much can I expect to earn": words of the question
        raise ExtractionFailed(DEPENDENT_VERB, f"{word} {after}")
    if (word, after) in (("use", "to"), ("find", "about")) or (word == "do" and after in PREPOSITIONS):
        raise ExtractionFailed("the verb lacks its object", f"{word} {after}")
    if _depends_on_verb(tokens, verb):
        raise ExtractionFailed(DEPENDENT_VERB, f"{word} {after}")


def is_passive(words: Sequence[str]) -> bool:
    """Return whether words begin with what is done to somebody: "be robbed by thieves"."""
    done = words[1].strip(".,?!").lower() if len(words) > 1 and words[0].lower() == "be" else ""
    return (
        done.endswith(("ed", "en", "id", "ld", "ght", "nt"))
        and done not in FEELINGS
        and word_classes(done) == {"VERB"}
        and not is_base_verb(done)
    )


def _has_done(later: Sequence[str]) -> bool:
    """Return whether "have" is followed by whom one has do what: "someone else make decisions"."""
    who = [word for word in later[:3] if word != "else"]
    return len(who) > 1 and who[0] in OBJECTS | {"others", "people"} and is_base_verb(who[1])


def _depends_on_verb(tokens: list[str], verb: int) -> bool:
    """Return whether the word after the verb is, or may be, a second verb or a part of a compound verb."""
    word, after = tokens[verb].lower(), neighbour(tokens, verb, 1)
    after_that = neighbour(tokens, verb + 2, 1)
    may_be_verb = after not in FUNCTION_WORDS | PARTICLES and is_base_verb(after)
    is_adjective = "ADJ" in word_classes(after) and bool(after_that) and after_that not in FUNCTION_WORDS
    takes_verb = word in ("go", "come", "dare", *COMPOUNDS) and after not in ("back", "home")
    if may_be_verb and (takes_verb or not (is_adjective or "NOUN" in word_classes(after) or not word_classes(after))):
        return True
    if may_be_verb and after_that in POSSESSIVES | OBJECTS:  # "stun gun my sister"
        return True
    return (word in ASPECTS and is_ing_form(after)) or (word in ("try", "go", "come") and after == "and")
