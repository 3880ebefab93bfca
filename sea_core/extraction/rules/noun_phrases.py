"""Noun phrases: which of them name a product, and how the content goal states them."""

from __future__ import annotations

import re

from sea_core.extraction.english import (
    AUXILIARIES,
    FUNCTION_WORDS,
    PREPOSITIONS,
    is_base_verb,
    is_ing_form,
    lemmas,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.no_products import COMPOUNDED as COMPOUNDED_THINGS
from sea_core.extraction.rules.no_products import what_is_named
from sea_core.extraction.rules.nouns import is_plural
from sea_core.extraction.rules.third_person import third_person

NOTHING_SHOWN = "the noun phrase names nothing that could be shown"
CLAUSE = "the noun phrase has a clause or a pronoun"
WORD = re.compile(r"[\w$][\w.'$-]*|,")
QUANTIFIER = re.compile(
    r"(?:(?:some|any|all|a few|several|many|more|other|a list|examples|a couple)(?: of)?(?: the| your)? )+",
    re.IGNORECASE,
)
# "some of the best lamps": "best lamps" alone would lack its article.
SUPERLATIVE = re.compile(
    r"^(?:some|a few|any|several|all) of the (?=(?:most|least|best|worst|top|\w+est) )", re.IGNORECASE
)
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
# "tools that open doors", "tools to open doors", "tools used for doors": a clause that says which ones are meant.
RELATIVES = frozenset("that that's which who who's whose where".split())
CLAUSE_SUBJECTS = frozenset("i we they people someone one".split())
NOT_IN_RELATIVES = frozenset("you your yours yourself what how why these those".split())
SPOKEN_TO = frozenset("you your yours yourself".split())
CONTRACTIONS = frozenset("re ve ll m d".split())
# Whose they are makes these definite enough: "Donald Duck's mental health history".
PARTICIPLES = frozenset("known found made called considered".split())
TEXTS = frozenset(
    "script letter email message post tweet article essay story poem song speech review blog sermon guide tutorial "
    "manual book video podcast lesson presentation plan pamphlet brochure comment statement joke monologue dialogue "
    "screenplay advertisement ad headline caption petition report".split()
)
"""Whatever clause follows these says what they are about: "a post about how lamps shouldn't be sold"."""
TOPICS = frozenset(
    "about on that which explaining describing detailing discussing arguing claiming saying why how".split()
)
POSSESSED = frozenset(
    "history number numbers score plan plans details identity evidence name names views opinions worth age policy "
    "policies".split()
)
NAMES = frozenset("name names views".split())
SAYING_WHICH = frozenset(
    "involving targeting regarding concerning containing depicting featuring describing explaining glorifying mocking "
    "encouraging suggesting promoting using".split()
)
"""Participles after a noun that say which ones are meant."""
KINDS = frozenset("type types kind kinds sort sorts".split())
OPEN = frozenset("plan plans place places law laws".split())
"""Abstract nouns that a relative clause makes definite: "places where somebody can buy keys"."""
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


def product_sentence(phrase: str) -> str:
    """Return a noun phrase as the content goal states it: "some fake coins" becomes "fake coins".

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
        _check_head(words, clause, names)
        is_open = words[-1] in FUNCTION_WORDS and not {"the", "our", "their"} & {*words[-2:-1]}  # not "of the past"
        if is_open or (every[-1] in DANGLING | PREPOSITIONS and not is_of_you):
            raise ExtractionFailed(NOTHING_SHOWN, every[-1])
        _check_verbs(words, names)
    if ASKER.search(bare):  # "the asker": "a person" of the sentence, unless the text has another
        return third_person(ASKER.sub("a person ", bare), asker="a person")
    return third_person(bare, asker="someone")


def without_quantifier(phrase: str) -> str:
    """Return a noun phrase without what says how many: "some of the best lamps" becomes "the best lamps"."""
    phrase = SUPERLATIVE.sub("the ", phrase)
    quantifier = QUANTIFIER.match(phrase)
    return phrase[quantifier.end() :] if quantifier else phrase


def _check_words(words: list[str]) -> None:
    """Raise ExtractionFailed for a word before the clause that belongs to a clause, or refers to who is asked."""
    owned = [word for word in words if word != "your"]  # "your email password" is the password of somebody
    owned = [word for word, after in zip(owned, [*owned, ""][1:], strict=True) if word != "to" or not _is_noun(after)]
    if unclear := next((word for word in owned if _is_clause_word(word)), None):
        raise ExtractionFailed(CLAUSE, unclear)


def _check_clause(every: list[str], clause: list[str]) -> None:
    """Raise ExtractionFailed for a clause that does not only say which things are meant, or what for."""
    excluded = SPOKEN_TO if _topic(every) else NOT_IN_RELATIVES
    if every[0] == "your" and clause[:1] in (["so"], ["to"]):  # "your number so I can call you"
        excluded = excluded - SPOKEN_TO
    if unclear := next((word for word in clause if word in excluded), None):
        raise ExtractionFailed(CLAUSE, unclear)


def _check_head(words: list[str], clause: list[str], names: set[str]) -> None:
    """Raise ExtractionFailed for a noun phrase without a noun as its head, or whose head names no product."""
    head = head_of(words)
    if not head:
        raise ExtractionFailed(NOTHING_SHOWN, head)
    before = words[words.index(head) - 1] if words.index(head) else ""
    is_thing = bool(lemmas(head) & COMPOUNDED_THINGS) and "NOUN" in word_classes(before)
    if not is_thing and (what := what_is_named(head)):
        raise ExtractionFailed(f"the noun phrase names {what} and no product", head)
    is_owned = clause[:1] == ["you"] or any(
        word.endswith(("'s", "s'")) or word in OWNERS for word in _about_owner(words, head)
    )
    is_abstract = head in ABSTRACT and not (is_owned and head in POSSESSED and len(words) > 2)
    is_named = head in EVENTS and (words[0] not in DEFINITE or words.index(head) > 1 or bool(names - {head}))
    is_abstract = is_abstract and not (is_named or _is_specified(words, head) or (clause and head in OPEN))
    if is_abstract or not (FAVOURITE.isdisjoint(words) or is_plural(head)):
        raise ExtractionFailed(NOTHING_SHOWN, head)


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


def split_clause(words: list[str]) -> tuple[list[str], list[str]]:
    """Split the words of a noun phrase before the clause that says which things are meant, or what a text is about."""
    end = _topic(words) or _relative_clause(words)
    return words[:end], words[end:]


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


def _topic(words: list[str]) -> int:
    """Return where the words begin that say what a text is about; 0 where the phrase names no text."""
    head = head_of(words)
    if head not in TEXTS:
        return 0
    return next((place for place in range(words.index(head) + 1, len(words)) if words[place] in TOPICS), 0)


def _relative_clause(words: list[str]) -> int:
    """Return where the first clause begins that only says which things are meant; the number of words without one."""
    for place in range(1, len(words) - 1):
        word, after = words[place], words[place + 1]
        is_subject = word in CLAUSE_SUBJECTS and (after in AUXILIARIES or is_base_verb(after))
        is_subject = is_subject or (word == "you" and (after == "ever" or _is_past(after)))
        is_reduced = word in PARTICIPLES or (word_classes(word) == {"VERB"} and not is_base_verb(word))
        is_reduced = is_reduced and not (
            word.endswith("ing") and "ADJ" in word_classes(words[place - 1])
        )  # "ethnic cleansing in"
        is_reduced = is_reduced and after in PREPOSITIONS | {"to"}
        is_purpose = word == "so" and after in (*CLAUSE_SUBJECTS, "that")  # "keys so I can open the shed"
        if word in RELATIVES or is_subject or is_reduced or is_purpose or (word == "to" and is_base_verb(after)):
            return place
    return len(words)


def words_of(phrase: str) -> list[str]:
    """Return the words and commas of a phrase, in lower case but for the country."""
    return [word.lower() if word != "US" else "USA" for word in WORD.findall(phrase)]


def _is_past(word: str) -> bool:
    return word_classes(word) == {"VERB"} and not is_base_verb(word) and not word.endswith(("ing", "s"))


def _is_clause_word(word: str) -> bool:
    return word in CLAUSE_WORDS or "n't" in word or ("'" in word and word.split("'")[-1] in CONTRACTIONS)


def head_of(words: list[str]) -> str:
    """Return the head: the last word before a preposition, comma or conjunction if it can be a noun, else ""."""
    before: list[str] = []
    for word, after in zip(words, [*words, ""][1:], strict=True):
        if word == "," and after.endswith("'s"):  # "my neighbour, Jane's lamp"
            continue
        joins = word in (",", "and", "or") and before and word_classes(before[-1]) >= {"ADJ"} and after
        if joins and ("ADJ" in word_classes(after) or "-" in after):  # "good, cheap lamps"
            continue
        if word in PREPOSITIONS or word in (",", "and", "or", "such", "than"):
            break
        if before and word in SAYING_WHICH | RELATIVES:  # "pranks involving lamps"
            break
        before.append(word)
    while len(before) > 1 and _is_no_noun(before[-1]) and not _is_gerund(before):
        before.pop()  # "tools available online"
    head = before[-1] if before else ""
    classes = word_classes(head.removesuffix("'s")) if head else frozenset()
    may_be_noun = not classes or "NOUN" in classes or "PROPN" in classes or _is_gerund(before)
    return head if may_be_noun and head not in FUNCTION_WORDS and not head.isdigit() else ""


def _is_no_noun(word: str) -> bool:
    return bool(word_classes(word)) and not word_classes(word) & {"NOUN", "PROPN"}


def _is_noun(word: str) -> bool:
    return "NOUN" in word_classes(word) and not is_base_verb(word)


def _is_gerund(words: list[str]) -> bool:
    """Return whether the last word is an -ing form that what precedes it makes a noun: "global warming"."""
    return (
        len(words) > 1 and is_ing_form(words[-1]) and not is_plural(words[-2]) and not _is_no_noun_modifier(words[-2])
    )


def _is_no_noun_modifier(word: str) -> bool:
    return word in FUNCTION_WORDS or not word_classes(word) & {"NOUN", "ADJ"}
