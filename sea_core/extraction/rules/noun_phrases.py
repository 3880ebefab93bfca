"""Noun phrases: which of them name a product, and how the content goal states them."""

from __future__ import annotations

import re

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    is_base_verb,
    lemmas,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.no_products import AMOUNT, what_is_named
from sea_core.extraction.rules.no_products import COMPOUNDED as COMPOUNDED_THINGS
from sea_core.extraction.rules.noun_heads import (
    PARTICIPLES,
    WORD,
    find_topic,
    head_of,
    split_clause,
    without_quantifier,
    words_of,
)
from sea_core.extraction.rules.nouns import is_plural
from sea_core.extraction.rules.third_person import third_person

NOTHING_SHOWN = "the noun phrase names nothing that could be shown"
CLAUSE = "the noun phrase has a clause or a pronoun"
# Who asks has not been named in the sentence: "shops where I can sell lamps".
ASKER = re.compile(
    r"\b(?:I|i|we|you) (?=(?:can|could|should|would|may|might|must|will) )|"
    r"(?<=help )me |(?<=(?:allow|helps) )me |(?<=(?:allows|enable) )me "
)
# Nouns for a relation, a judgement or a piece of speech: nothing that could be shown.
ABSTRACT = frozenset(
    "advice age answer answers area benefits best better cause causes chance chances con cons consequence "
    "consequences cost day deal difference differences effect effects explanation example examples fact facts "
    "favorite fun funny good happening help history idea ideas info information instructions it issue issues "
    "kind kinds law laws like limit look matter meaning method methods more most name new number odds one ones "
    "opinion opinions penalty place places plan point points price problem pro pros purpose question questions reason "
    "reasons requirements right root rule rules score side sign signs situation sort sorts steps stuff "
    "suggestions symptom symptoms technique techniques thing things thought thoughts time times tips total true "
    "truth type types up use uses view views way ways weather word words worse worst worth wrong year years yes "
    "going over lot bit state capital percentage part parts percent advantage advantages argument arguments "
    "scandal war attack murder movement theory attributes story stories policy significance appearance intentions "
    "emotions details specifics experience experiences considerations factors reviews testimonials analysis summary "
    "description identity concept importance role impact impacts context events occasions meaning definition "
    "concerns studies elements aspects implications implication appropriateness topics topic responsibilities "
    "characteristics features insights guidance overview evidence expertise link connection correlation "
    "relationship pedophilia zoophilia".split()
)
# Words that make the noun phrase a clause, or refer to the person who is asked.
CLAUSE_WORDS = AUXILIARIES | frozenset(
    "who whom whose which that to i you he she we they your yours it this these those me us when where why how what if "
    "because while considered called known so not there".split()
)
NOT_IN_RELATIVES = frozenset("you your yours yourself what how why these those".split())
SPOKEN_TO = frozenset("you your yours yourself".split())
CONTRACTIONS = frozenset("re ve ll m d".split())
# Whose they are makes these definite enough: "Donald Duck's mental health history".
POSSESSED = frozenset(
    "history number numbers score plan plans details identity evidence name names views opinions worth age policy "
    "policies".split()
)
NAMES = frozenset("name names views".split())
KINDS = frozenset("type types kind kinds sort sorts".split())
OPEN = frozenset("plan plans place places law laws".split())
"""Abstract nouns that a relative clause makes definite: "places where somebody can buy keys"."""
LAWS = frozenset("law laws rule rules".split())
ALLOWING = frozenset("allow allows permit permits ban bans forbid forbids prohibit prohibits protect protects".split())
INDEFINITE = frozenset("something anything".split())
FAVOURITE = frozenset("favourite favorite".split())
EVENTS = frozenset("war attack murder movement scandal".split())
"""Abstract nouns if only an article makes them definite: "the war", but not "the Vietnam War" or "an attack"."""
DEFINITE = frozenset("the this that these those".split())
COMPOUNDED = frozenset(
    "example examples experience experiences details information benefits law laws rule rules".split()
)
OWNERS = frozenset("my our his her their your".split())
RIGHTS = frozenset("rights privileges permits licences licenses opportunities services programs".split())
"""Before these an -ing form says which ones: "voting rights"."""
DANGLING = frozenset("doing wearing holding saying called used showing going happening about made looking".split())


def product_sentence(phrase: str, is_act: bool = False) -> str:
    """Return a noun phrase as the content goal states it: "some fake coins" becomes "fake coins".

    Args:
        is_act: whether it names an activity, and no product.

    Raises:
        ExtractionFailed: it has a clause that does not only say which things are meant, no noun as its head, or is too
            abstract to be shown.
    """
    bare = without_quantifier(phrase)
    every = words_of(bare)
    words, clause = split_clause(every)
    _check_words(words)
    is_of_you = clause[:1] == ["you"]  # "the first car you owned"
    _check_clause(every, clause[1:] if is_of_you else clause)
    if not words:
        raise ExtractionFailed(NOTHING_SHOWN, phrase)
    if not (words[0] in INDEFINITE and len(words) == 1 and clause):  # "something to weed a garden with"
        names = {word.lower() for word in WORD.findall(bare) if word[0].isupper()}
        _check_head(words, clause, names, is_act)
        is_open = words[-1] in FUNCTION_WORDS and not {"the", "our", "their"} & {*words[-2:-1]}  # not "of the past"
        if is_open or (every[-1] in DANGLING | PREPOSITIONS and not is_of_you):
            raise ExtractionFailed(NOTHING_SHOWN, every[-1])
        _check_verbs(words, names)
    if ASKER.search(bare):  # "the asker": "a person" of the sentence, unless the text has another
        return third_person(ASKER.sub("a person ", bare), asker="a person")
    return third_person(bare, asker="someone")


def _check_words(words: list[str]) -> None:
    """Raise ExtractionFailed for a word before the clause that belongs to a clause, or refers to who is asked."""
    owned = [word for word in words if word != "your"]  # "your email password" is the password of somebody
    owned = [word for word, after in zip(owned, [*owned, ""][1:], strict=True) if word != "to" or not _is_noun(after)]
    if unclear := next((word for word in owned if _is_clause_word(word)), None):
        raise ExtractionFailed(CLAUSE, unclear)


def _check_clause(every: list[str], clause: list[str]) -> None:
    """Raise ExtractionFailed for a clause that does not only say which things are meant, or what for."""
    excluded = SPOKEN_TO if find_topic(every) else NOT_IN_RELATIVES
    if every[0] == "your" and clause[:1] in (["so"], ["to"]):  # "your number so I can call you"
        excluded = excluded - SPOKEN_TO
    if unclear := next((word for word in clause if word in excluded), None):
        raise ExtractionFailed(CLAUSE, unclear)


def _check_head(words: list[str], clause: list[str], names: set[str], is_act: bool = False) -> None:
    """Raise ExtractionFailed for a noun phrase without a noun as its head, or whose head names no product."""
    head = head_of(words)
    if not head:
        raise ExtractionFailed(NOTHING_SHOWN, head)
    if not is_act:
        _check_kinds(words, head)
    is_owned = clause[:1] == ["you"] or any(
        word.endswith(("'s", "s'")) or word in OWNERS for word in _about_owner(words, head)
    )
    is_abstract = head in ABSTRACT and not (is_owned and head in POSSESSED and len(words) > 2)
    is_named = head in EVENTS and (words[0] not in DEFINITE or words.index(head) > 1 or bool(names - {head}))
    if head in LAWS and not ALLOWING.isdisjoint(clause):  # "rules that allow beekeeping": what they allow is meant
        raise ExtractionFailed("the phrase has words of the request", head)
    is_abstract = is_abstract and not (is_named or _is_specified(words, head) or (clause and head in OPEN))
    if is_abstract or not (FAVOURITE.isdisjoint(words) or is_plural(head)):
        raise ExtractionFailed(NOTHING_SHOWN, head)


def _check_kinds(words: list[str], head: str) -> None:
    """Raise ExtractionFailed for a head that names no product, and for another noun joined to it: "likes and fears"."""
    place = words.index(head)
    before, after = words[place - 1] if place else "", words[place + 1 :]
    is_thing = bool(lemmas(head) & COMPOUNDED_THINGS) and "NOUN" in word_classes(before)
    what = "" if is_thing else what_is_named(head, before)
    joined = after[1:] if after[:1] in (["and"], ["or"]) else []
    other = head_of(joined)
    if what == AMOUNT and after[:1] == ["of"] and (thing := head_of(after[1:])):  # "a gram of salt"
        head, what = thing, what_is_named(thing)
    elif other:
        is_compound = after[0] == "and" and joined.index(other) == 1 and joined[0] not in FUNCTION_WORDS
        is_modifier = is_compound and before in ("", *FUNCTION_WORDS)  # "the health and safety rules"
        head, what = (head, what) if what and not is_modifier else (other, what_is_named(other))
        if joined[0] in DETERMINERS and other in ABSTRACT:  # "the church and the state"
            raise ExtractionFailed(NOTHING_SHOWN, other)
    if what:
        raise ExtractionFailed(f"the noun phrase names {what} and no product", head)


def _check_verbs(words: list[str], names: set[str]) -> None:
    """Raise ExtractionFailed for a verb among the words before the clause: it may be a clause of its own."""
    head = head_of(words)
    for word in words:
        is_participle = (word in PARTICIPLES or not is_base_verb(word)) and (
            word != words[0] or not word.endswith("ing")
        )
        says_which = is_participle or (word.endswith("ing") and head in RIGHTS)
        if word != head and word not in names | FUNCTION_WORDS and word_classes(word) == {"VERB"} and not says_which:
            raise ExtractionFailed("the noun phrase has a verb", word)


def _about_owner(words: list[str], head: str) -> list[str]:
    """Return the words that may say whose it is; of a name, those before it, and those of "the name OF MY DOCTOR"."""
    place = words.index(head) if head else 0
    return words[: place + 1] if head in NAMES and words[place + 1 : place + 2] != ["of"] else words


def _is_specified(words: list[str], head: str) -> bool:
    """Return whether an abstract noun becomes definite by "of" ("types of locks") or by another noun ("lock ideas")."""
    place = words.index(head)
    if head in KINDS and words[place + 1 : place + 2] == ["of"]:
        return True
    before = words[place - 1] if place else ""
    is_noun = word_classes(before) & {"NOUN", "ADJ"} == {"NOUN"} or before.endswith("ing")
    return head in COMPOUNDED and is_noun


def _is_clause_word(word: str) -> bool:
    return word in CLAUSE_WORDS or "n't" in word or ("'" in word and word.split("'")[-1] in CONTRACTIONS)


def _is_noun(word: str) -> bool:
    return "NOUN" in word_classes(word) and not is_base_verb(word)
