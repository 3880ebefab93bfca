"""Further verbs of the same person, after "and" or a comma: "lie AND cheat", "break in, THEN steal"."""

from __future__ import annotations

import re
from itertools import pairwise

from sea_core.extraction.english import DETERMINERS, FUNCTION_WORDS, PREPOSITIONS, is_base_verb, word_classes
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.tokens import neighbour

DEPENDENT_VERB = "one verb depends on another"
INTRANSITIVE = frozenset("steal kill leave run go stop start drive eat walk lie cheat hide come move".split())
"""Verbs that may be the last word of a phrase."""
NOUN_ENDING = re.compile(r"-|(?:s|ia|ism|ty|ion|ness|ment|ing|er|or|able|al|ive|ware)$")
MODIFIERS = frozenset("age gender race sleep login email phone title group family income property password".split())
"""Nouns before nouns: "or sleep deprivation"."""
WITH_OBJECT = frozenset("harm abuse damage torture murder access harassment control cause support use".split())
"""Verbs that an object follows at once, and that are nouns before a preposition."""
CONJUNCTIONS = frozenset("and or then but".split())
RELATIVES = frozenset("that which who".split())
PRONE = frozenset("vulnerable prone susceptible subject exposed addicted accustomed due close similar".split())
"""After these and "to" a noun follows: "vulnerable to abuse"."""
MODALS = frozenset("can will could would may might should must".split())
# Another verb in its base form may follow these ("let him fall", "go steal").
NESTING = frozenset("make let help have watch see hear go come dare try be".split())
# Words that may be nouns but are verbs after "and" or "then".
VERBS_AFTER_AND = frozenset(
    "steal take make get kill leave sell run rob go put keep hide use give hurt turn throw set move come find "
    "buy break cut burn blow beat shoot force trick tell ask let have pretend claim start stop drive eat walk "
    "exploit demand manipulate spread distribute sabotage harm harass blackmail threaten attack hack bypass "
    "avoid commit control disable monitor track deceive disrupt destroy deploy cause gain access bully scam "
    "smuggle launder damage extract sell share promote encourage send build create maintain evade inject "
    "install redirect compromise intimidate discredit undermine torture murder poison trap lure groom transfer "
    "solicit upload download post publish dress wipe wash escape cook feed "
    "stab choke punch kick slap tie lock scare dump rip ship swindle brew fool rig cheat lie "
    "hide profit earn collect stick fry boil".split()
)
JOINED_NOUNS = frozenset(
    {("command", "control"), ("search", "rescue"), ("cut", "paste"), ("trial", "error"), ("hit", "run")}
)
"""Words with "and" between them that are one noun: "command and control servers"."""
KINDS_OF_SYSTEM = frozenset("access control monitor display test track transfer attack target".split())
SYSTEMS = frozenset(
    "system systems server servers panel panels network networks code codes card cards point points "
    "infrastructure software mechanism mechanisms device devices room rooms center centers centre centres "
    "measures tool tools unit units".split()
)
"""After one of the first words, these are named by it: "alarm and control systems"."""
OBJECTS = frozenset("someone somebody them him her me it us everyone".split())


def find_joined_verbs(tokens: list[str], first: int) -> list[int]:
    """Return the indices of further verbs of the same person: "lie AND cheat", "break in, THEN steal".

    A verb that follows an infinitive ("use a key to open the shed and take the lamp"), a modal, or a relative clause
    whose verb is in the base form too belongs to that one, and stays as it is.

    Raises:
        ExtractionFailed: a word after "and" may be a noun or a verb, or a verb that depends on another.
    """
    found: list[int] = []
    lowered = [token.lower() for token in tokens]
    for index in range(first + 2, len(tokens), 2):
        word, before = lowered[index], _before_adverbs(lowered, index)
        is_conjoined = before in CONJUNCTIONS or "," in tokens[index - 1] or "/" in tokens[index - 1]
        # A capitalised word that the dictionary lacks is a name; in lower case it may be a misspelt verb.
        may_be_misspelt = not word_classes(word) and tokens[index].islower() and not NOUN_ENDING.search(word)
        is_noun = not is_base_verb(word) and not may_be_misspelt
        if not is_noun and lowered[index - 2] == "to" and lowered[index - 4] in CONJUNCTIONS:
            _check_infinitive(lowered, first, index)
        if not is_conjoined or is_noun or word in (FUNCTION_WORDS | {"even"}) - {"do", "have"}:
            continue
        if _is_surely_noun(lowered, index, first) or _belongs_to_later_verb(lowered, first, index):
            continue
        if not _is_surely_verb(lowered, index, first):
            raise ExtractionFailed('a word after "and" may be a noun or a verb', word)
        if lowered[first] in NESTING and not (
            lowered[first] == "make" and lowered[index + 2 :][:1] in (["it"], ["them"])
        ):
            raise ExtractionFailed(DEPENDENT_VERB, word)
        found.append(index)
    return found


def _before_adverbs(lowered: list[str], index: int) -> str:
    """Return the word before a word and its adverbs: "and" for "and not laugh" and "and secretly take"."""
    place = index - 2
    while (
        place > 2
        and (lowered[place] == "not" or "ADV" in word_classes(lowered[place]))
        and lowered[place] not in CONJUNCTIONS | {"to"}
    ):
        place -= 2
    return lowered[place] if lowered[place] in CONJUNCTIONS else lowered[index - 2]


def _check_infinitive(lowered: list[str], first: int, index: int) -> None:
    """Raise ExtractionFailed for "(hide a lamp) or to confess", which does not go with "hiding a lamp"."""
    if not _belongs_to_later_verb(lowered, first, index):
        raise ExtractionFailed(DEPENDENT_VERB, f"to {lowered[index]}")


def _belongs_to_later_verb(lowered: list[str], first: int, index: int) -> bool:
    """Return whether a base verb between the first one and "and" makes the next one its own."""
    between = lowered[first + 2 : index : 2]
    firm = [word for word in between if not (word.endswith("ly") and "ADV" in word_classes(word))]
    infinitives = (
        after
        for before, (word, after) in zip(["", *firm], pairwise(firm), strict=False)
        if word == "to" and after not in FUNCTION_WORDS and before not in PRONE
    )
    is_modal = any(word in MODALS or word.endswith("n't") for word in between)  # "ensure they don't sing or dance"
    if is_modal or any(is_base_verb(word) for word in infinitives):
        return True
    relatives = [place for place, word in enumerate(between) if word in RELATIVES]
    if not relatives:
        return False
    clause, noun = between[relatives[-1] + 1 :], between[max(relatives[-1] - 1, 0)]
    if clause and _begins_clause(clause[0], noun):
        return True
    return any(
        is_base_verb(word) and word not in FUNCTION_WORDS and "NOUN" not in word_classes(word) for word in clause
    )


def _begins_clause(verb: str, noun: str) -> bool:
    """Return whether a base verb after "that" is the verb of a clause about a noun, not a noun: "steal that DRINK"."""
    is_noun = noun not in FUNCTION_WORDS | RELATIVES and "NOUN" in (word_classes(noun) or {"NOUN"})
    return is_noun and is_base_verb(verb) and verb not in FUNCTION_WORDS


def _is_surely_noun(lowered: list[str], index: int, first: int) -> bool:
    """Return whether a word after "and" that may be a verb is a noun: it ends the phrase, or "of" follows."""
    word, after = lowered[index], neighbour(lowered, index, 1)
    if index > first + 4 and (lowered[index - 4], word) in JOINED_NOUNS:
        return True
    if word in KINDS_OF_SYSTEM and after in SYSTEMS and _is_after_noun(lowered, index):
        return True
    is_second = index == first + 2 and "," in lowered[index - 1]  # "wash, dry, and fold shirts"
    if (
        is_second
        or "NOUN" not in (word_classes(word) or {"NOUN"})
        or (index == first + 4 and lowered[index - 2] in CONJUNCTIONS)
    ):
        return False
    if word in WITH_OBJECT and after in PREPOSITIONS and _is_after_noun(lowered, index):
        return True  # "acts of violence or harm against others"
    if word in VERBS_AFTER_AND and (word in INTRANSITIVE or not _is_last(lowered, index)):
        return False
    if (lowered[index - 2] == "or" or word in MODIFIERS) and _is_after_noun(lowered, index):
        return after not in DETERMINERS | OBJECTS
    is_last = _is_last(lowered, index)
    return (
        (is_last and _is_after_noun(lowered, index))
        or after in ("of", "over", "without", "that", "which")
        or (lowered[first] == "use" and after == "to")
        or after in CONJUNCTIONS
    )


def _is_last(lowered: list[str], index: int) -> bool:
    return index + 2 >= len(lowered) or "," in lowered[index + 1]


def _is_after_noun(lowered: list[str], index: int) -> bool:
    """Return whether the word before "and" may be a noun, as a noun after "and" requires."""
    before = lowered[index - 4] if index >= 4 and lowered[index - 2] in CONJUNCTIONS else lowered[index - 2]
    return before not in FUNCTION_WORDS and "NOUN" in (word_classes(before) or {"NOUN"})


def _is_surely_verb(lowered: list[str], index: int, first: int) -> bool:
    word, after = lowered[index], neighbour(lowered, index, 1)
    if not is_base_verb(word):
        return False
    follows_directly = (index == first + 4 and lowered[index - 2] in ("and", "or")) or (index == first + 2)
    is_only_verb = not word_classes(word) - {"VERB"}
    return follows_directly or word in VERBS_AFTER_AND or is_only_verb or after in DETERMINERS | {"it", "them"}
