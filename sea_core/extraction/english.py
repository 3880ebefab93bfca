"""English words: word lists, and what the dictionary knows about inflections and word classes."""

from __future__ import annotations

import re
from functools import cache

from sea_core.extraction.wording import wordings

MAX_WORD = 64
"""Letters of a word that is looked up: a longer one is in no dictionary, and rules would take forever."""
# Chinese characters count as words, because nothing separates them; so do runs of Japanese syllables. Vowel signs of
# other scripts belong to words, though they are no letters to Python.
UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
SIGNS = r"\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
WORD = re.compile(rf"[\u3400-\u9fff]|[\u3040-\u309f]+|[\u30a0-\u30ff]+|(?:[^\W_{UNSPACED}]|[{SIGNS}])+(?:['’][^\W_]+)*")
HIRAGANA = re.compile(r"[\u3040-\u309f]+")
"""What these Japanese syllables write is mostly grammar."""

# Recent verbs that the dictionary lacks, or knows only as nouns.
NEW_VERBS = frozenset(
    "prank hotwire dox doxx google photoshop facebook catfish vape jailbreak text message email friend ghost swat "
    "phish gaslight deepfake ddos keylog livestream screenshot upskirt shoplift teleport exfiltrate catcall unfriend "
    "spearphish carjack timetravel rickroll doomscroll sext brick traffick".split()
)
# "cyberbully", "underreport": a verb that the dictionary lacks, with one of these before a verb that it knows.
PREFIXES = ("re", "un", "cyber", "under", "over", "out", "mis", "dis", "pre", "co", "de", "counter", "hyper", "ghost")
HYPHENATED = frozenset((*PREFIXES, "spray", "reverse", "brute", "mass", "self", "cold", "hard", "fact", "field"))
MISSING_NOUNS = frozenset("act acts dislikes likes pan pans".split())
"""Nouns that the dictionary knows only as verbs."""
MISSING_CLASS = frozenset({"NOUN"})
NEW_SUFFIXES = ("ize", "yze", "ify")
IRREGULAR_ING = {"photoshop": "photoshopping", "keylog": "keylogging", "program": "programming"}
SINGULAR = {"am": "is", "are": "is", "were": "was", "have": "has", "do": "does"}
NO_SINGULAR = frozenset("is was has can could will would shall should may might must did had cannot".split())
AUXILIARIES = frozenset(
    "am is are was were be been being do does did have has had can could will would shall should may might must "
    "can't couldn't won't wouldn't shouldn't don't doesn't didn't isn't aren't wasn't weren't haven't hasn't "
    "cant couldnt wouldnt dont doesnt didnt isnt arent wasnt werent havent hasnt shouldnt".split()
)
PREPOSITIONS = frozenset(
    "about above across after against along among around as at before behind below beneath beside between "
    "beyond by despite down during except for from in inside into like near of off on onto out outside over "
    "past per since through till to toward towards under underneath until up upon via with within without".split()
)
PRONOUNS = frozenset(
    "i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its "
    "itself we us our ours ourselves they them their theirs themselves this that these those one someone "
    "somebody anyone anybody everyone everybody something anything everything nothing nobody who whom whose "
    "which what".split()
)
POSSESSIVES = frozenset("a an the my your his her our their".split())
"""Articles and possessives: the next word is a noun or an adjective."""
DETERMINERS = POSSESSIVES | frozenset("its this that these those some any all".split())
FUNCTION_WORDS = (
    AUXILIARIES
    | PREPOSITIONS
    | PRONOUNS
    | frozenset(
        "a an the some any all both each every few many more most much other another such no nor not and or but "
        "if so than then too very just only own same how when where why whether because while again ever also "
        "there here please".split()
    )
)


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without the possessive 's."""
    words = (match.replace("’", "'") for match in WORD.findall(text.casefold()))
    return [word.removesuffix("'s") for word in words]


def content_words(text: str) -> list[str]:
    """Return the content words of a text: all but articles, pronouns, prepositions, conjunctions and auxiliaries."""
    # "I'm" and "they've" count as pronouns.
    words = (word for word in split_words(text) if not {word, word.partition("'")[0]} & FUNCTION_WORDS)
    return [word for word in words if word not in wordings()["zh"].common and not HIRAGANA.fullmatch(word)]


@cache
def word_classes(word: str) -> frozenset[str]:
    """Return the possible classes of a word (NOUN, VERB, ADJ, ADV, ...); none if the dictionary lacks it."""
    from lemminflect import getAllLemmas

    if len(word) > MAX_WORD:
        return frozenset()
    return frozenset(getAllLemmas(word.lower())) | (MISSING_CLASS if word.lower() in MISSING_NOUNS else frozenset())


@cache
def lemmas(word: str) -> frozenset[str]:
    """Return all possible base forms of a word, and the word itself; by rule if the dictionary lacks it."""
    from lemminflect import getAllLemmas, getAllLemmasOOV

    word = word.casefold()
    if len(word) > MAX_WORD:
        return frozenset({word})
    found = dict(getAllLemmas(word)) or {**getAllLemmasOOV(word, "VERB"), **getAllLemmasOOV(word, "NOUN")}
    return frozenset({word, *(lemma for group in found.values() for lemma in group), *new_verb_forms().get(word, ())})


@cache
def new_verb_forms() -> dict[str, tuple[str, ...]]:
    """Return the inflected forms of NEW_VERBS, each with its base form; rules alone find none for "hotwiring"."""
    from lemminflect import getInflection

    forms: dict[str, tuple[str, ...]] = {
        form: (verb,) for verb in NEW_VERBS for tag in ("VBD", "VBZ") for form in getInflection(verb, tag)
    }
    return forms | {ing_form(verb): (verb,) for verb in NEW_VERBS}


@cache
def is_base_verb(word: str) -> bool:
    """Return whether the word can be a verb in its base form ("steal", not "stole")."""
    from lemminflect import getAllLemmas

    word = word.lower()
    if word in NEW_VERBS or word in getAllLemmas(word, upos="VERB").get("VERB", ()):
        return True
    return bool(verb_prefix(word)) or is_derived_verb(word)


@cache
def verb_prefix(word: str) -> str:
    """Return what precedes a known verb in a word that the dictionary lacks: "cyber" in "cyberbully", or ""."""
    word = word.lower()
    if not 4 < len(word) <= MAX_WORD or word.endswith("ing") or word_classes(word):
        return ""
    first = word.partition("-")[0]
    beginnings = (f"{first}-",) if first in HYPHENATED else () if "-" in word else PREFIXES
    return next((known for known in beginnings if word.startswith(known) and _is_verb(word[len(known) :])), "")


def _is_verb(word: str) -> bool:
    return len(word) > 2 and is_base_verb(word)


def is_derived_verb(word: str) -> bool:
    """Return whether a word that the dictionary lacks has the ending of a verb ("radicalize")."""
    return 5 < len(word) <= MAX_WORD and word.endswith(NEW_SUFFIXES) and not word_classes(word)


@cache
def is_ing_form(word: str) -> bool:
    """Return whether the word can be an -ing form of a verb ("stealing", not "string")."""
    word = word.lower()
    return word.endswith("ing") and any(
        is_base_verb(lemma) and ing_form(lemma) == word for lemma in lemmas(word) - {word}
    )


@cache
def ing_form(verb: str) -> str:
    """Return the -ing form of a base verb. Capitals within it stay ("DDoSing")."""
    from lemminflect import getInflection

    if not verb.isupper() and verb[1:] != verb[1:].lower():
        return f"{verb}ing"
    verb = verb.lower()
    if prefix := verb_prefix(verb):
        return prefix + ing_form(verb[len(prefix) :])
    found = IRREGULAR_ING.get(verb.removeprefix("re")) or str(getInflection(verb, tag="VBG")[0])
    found = f"re{found}" if verb.startswith("re") and not found.startswith("re") else found
    return f"{verb}king" if verb.endswith("c") else found


def is_past_form(word: str) -> bool:
    """Return whether a base verb is also the past of a verb: "saw", "found", "put"; not "was", which is no base."""
    from lemminflect import getInflection

    return is_base_verb(word) and any(word.lower() in getInflection(lemma, tag="VBD") for lemma in lemmas(word))


def singular_form(verb: str) -> str:
    """Return a verb as "she" needs it: "wants" for "want"; what has no other form stays: "can", "wanted"."""
    from lemminflect import getInflection

    verb, negation = (verb[:-3], verb[-3:]) if verb.endswith("n't") else (verb, "")
    if verb in SINGULAR or verb in NO_SINGULAR or verb in ("ca", "wo") or not is_base_verb(verb):
        return SINGULAR.get(verb, verb) + negation
    return str(getInflection(verb, tag="VBZ")[0])
