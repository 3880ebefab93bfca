"""Verb phrases become sentences in the third person: "steal my lamp" becomes "a person is stealing their lamp"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sea_core.extraction.english import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    POSSESSIVES,
    PREPOSITIONS,
    ing_form,
    is_base_verb,
    is_ing_form,
    split_words,
    word_classes,
)
from sea_core.extraction.extractor import ExtractionFailed

QUOTED = re.compile(r""""[^"]*"|(?<!\w)'[^']*'(?!\w)""")
"""What is quoted keeps its persons."""
TOKEN = re.compile(r"(?:[^\W_]|\$)+(?:[.'-][^\W_]+)*|(?:(?!\$)[\W_])+")

NO_VERB = "the opener is not followed by a verb that the dictionary knows"
STATE = "the verb names a state and not an activity"
INFORMATION = "the request is for information and not for an activity"
SEVERAL_PERSONS = "pronouns of several persons would become the same"
QUOTED_PERSON = "the quoted text has a pronoun, which a sentence in the third person would change"
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
IMPERSONAL: Mapping[str, str] = {"oneself": "themselves", "one's": "their"}
PERSONS = frozenset((*FIRST_PERSON, *SECOND_PERSON, *FIRST_SUBJECTS, "you"))
AS_OTHERS: Mapping[str, str] = {"our": "others'", "us": "others"}
"""Beside a subject who is "they": "Why do bakers steal our lamps and hide their own?"."""
OWN: Mapping[str, str] = {"my": "their own", "our": "their own"}
"""Beside others who are "they": "monitor my employee without their knowledge"."""
THIRD_PLURAL = frozenset("they them their theirs themselves they're they've they'll they'd".split())

STATES = frozenset(
    "be know want need like love hate own believe understand mean seem belong prefer deserve feel think suppose "
    "wish see hear compare differ".split()
)
SENSES = frozenset("smell look sound taste seem stink".split())
SENSED = frozenset("so like that bad good weird funny".split())
# With these objects, "have" names an activity.
HAD_ACTIVITIES = frozenset("access sex fun an affair party children child kids baby babies intercourse".split())
OBJECTS = frozenset("someone somebody them him her me it us everyone".split())
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
PARTICLES = frozenset("open free loose rid clear dry".split())
# The first parts of compound verbs that people write as two words: "stun gun", "dry clean".
COMPOUNDS = frozenset("stun dry hot jump drop ghost catfish test toilet spray double".split())
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
    "hide profit earn collect stick".split()
)
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
FEELINGS = frozenset("addicted obsessed interested scared bored born married".split())
"""Participles for what somebody is, and not for what is done to somebody."""
ADVERBS = frozenset("just really even best quickly fast still always also together once".split())


def activity_sentence(phrase: str) -> str:
    """Return the sentence for a verb phrase in its base form: "a person is stealing a lamp".

    Raises:
        ExtractionFailed: the phrase does not begin with a verb, or its third person is ambiguous.
    """
    tokens = TOKEN.findall(phrase)
    verb = _find_verb(tokens)
    _check_activity(tokens, verb)
    if verb:
        tokens[0] = tokens[0].lower()
    for index in {verb, *_find_conjoined_verbs(tokens, verb)}:
        tokens[index] = ing_form(tokens[index])
    return "a person is " + third_person("".join(tokens))


def third_person(text: str) -> str:
    """Replace the first and second person by the third. Raises ExtractionFailed if that is ambiguous, or in quotes."""
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
    return "".join(_third_person_token(tokens, index, possessives) for index in range(len(tokens)))


def _names_others(lowered: Sequence[str]) -> bool:
    """Return whether a noun after the first word may be whom a later "they" means."""
    return any("NOUN" in word_classes(word) for word in lowered[2::2])


def _third_person_token(tokens: list[str], index: int, possessives: Mapping[str, str]) -> str:
    word, before = tokens[index].lower(), _neighbour(tokens, index, -1)
    if tokens[index] == "US":  # the country
        return tokens[index]
    if word in ("i", "you", "we"):
        return "they" if _is_surely_subject(tokens, index) else _they_or_them(tokens, index)
    if before == "i" and word in ("am", "was"):
        return "are" if word == "am" else "were"
    if word == "mine" and (before == "to" or _neighbour(tokens, index, 1) not in {"", *FUNCTION_WORDS}):
        return tokens[index]  # the verb
    if word in possessives and _neighbour(tokens, index, 1) != "own":
        return possessives[word]
    return FIRST_PERSON.get(word) or SECOND_PERSON.get(word) or IMPERSONAL.get(word) or tokens[index]


def _is_surely_subject(tokens: list[str], index: int) -> bool:
    """Return whether a pronoun is a subject: "what you want", "that I actually have"."""
    after, later = _neighbour(tokens, index, 1), _neighbour(tokens, index + 2, 1)
    if _neighbour(tokens, index, -1) in ("what", "who", "where", "how", "when", "why"):
        return is_base_verb(after)
    return _is_adverb(after) and (is_base_verb(later) or later in AUXILIARIES)


def _they_or_them(tokens: list[str], index: int) -> str:
    word, after = tokens[index].lower(), _neighbour(tokens, index, 1)
    is_verb = after in AUXILIARIES or (is_base_verb(after) and "NOUN" not in word_classes(after))
    before = word_classes(_neighbour(tokens, index, -1))
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


def skip_adverbs(words: list[str]) -> int:
    """Return the index of the first word that is no adverb: 1 for "secretly pick", 3 for "quickly and quietly pick"."""
    for index, word in enumerate(words):
        joins = word in ("and", "but") and 0 < index < len(words) - 1 and _is_adverb(words[index + 1])
        if word not in ADVERBS and not _is_adverb(word) and not joins:
            return index
    return len(words) - 1


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") and "ADV" in (word_classes(word) or {"ADV"}) and not is_base_verb(word)


def _find_verb(tokens: list[str]) -> int:
    """Return the index of the first verb; adverbs may precede it."""
    index = 2 * skip_adverbs([token.lower() for token in tokens[::2]])
    word = tokens[index].lower()
    if not is_base_verb(word) or word in FUNCTION_WORDS - {"do", "have", "be"}:
        raise ExtractionFailed(NO_VERB, word)
    return index


def is_past(word: str) -> bool:
    """Return whether a word is a verb in the past, and can be no base form."""
    return "VERB" in word_classes(word) and not is_base_verb(word) and not is_ing_form(word) and not word.endswith("s")


def check_asked(phrase: str) -> None:
    """Raise ExtractionFailed for what the assistant is asked to tell, or for how it is asked to behave."""
    tokens = TOKEN.findall(phrase)
    at = _find_verb(tokens)
    verb, after = tokens[at].lower(), _neighbour(tokens, at, 1)
    if verb in ADDRESSED or after in ("if", "whether"):
        raise ExtractionFailed(INFORMATION, verb)


def _check_activity(tokens: list[str], verb: int) -> None:
    """Raise ExtractionFailed if the verb names no activity, or the next word is, or may be, a verb too."""
    word, after = tokens[verb].lower(), _neighbour(tokens, verb, 1)
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
    word, after = tokens[verb].lower(), _neighbour(tokens, verb, 1)
    after_that = _neighbour(tokens, verb + 2, 1)
    may_be_verb = after not in FUNCTION_WORDS | PARTICLES and is_base_verb(after)
    is_adjective = "ADJ" in word_classes(after) and bool(after_that) and after_that not in FUNCTION_WORDS
    takes_verb = word in ("go", "come", "dare", *COMPOUNDS) and after not in ("back", "home")
    if may_be_verb and (takes_verb or not (is_adjective or "NOUN" in word_classes(after) or not word_classes(after))):
        return True
    if may_be_verb and after_that in POSSESSIVES | OBJECTS:  # "stun gun my sister"
        return True
    return (word in ASPECTS and is_ing_form(after)) or (word in ("try", "go", "come") and after == "and")


def _find_conjoined_verbs(tokens: list[str], first: int) -> list[int]:
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
        and lowered[place] not in CONJUNCTIONS
    ):
        place -= 2
    return lowered[place] if lowered[place] in CONJUNCTIONS else lowered[index - 2]


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
    word, after = lowered[index], _neighbour(lowered, index, 1)
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
    word, after = lowered[index], _neighbour(lowered, index, 1)
    if not is_base_verb(word):
        return False
    follows_directly = (index == first + 4 and lowered[index - 2] in ("and", "or")) or (index == first + 2)
    is_only_verb = not word_classes(word) - {"VERB"}
    return follows_directly or word in VERBS_AFTER_AND or is_only_verb or after in DETERMINERS | {"it", "them"}


def _neighbour(tokens: list[str], index: int, step: int) -> str:
    """Return the next or previous word in lower case; "" at the end or across punctuation."""
    target = index + 2 * step
    if not 0 <= target < len(tokens) or tokens[index + step].strip():
        return ""
    return tokens[target].lower()
