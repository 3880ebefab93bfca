"""Phrases of everyday words, split by a fixed seed: some words, and so all phrases with them, are never trained on.

And random phrases of thousands of frequent words and of the words of the study, so that the model knows these words,
though none of the study's phrases.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from lemminflect import getAllLemmas

from sea_core.data.examples import Kind
from sea_core.extraction.english import ing_form
from sea_toy.spoken.frequent_words import FREQUENT_ADJECTIVES, FREQUENT_NOUNS, FREQUENT_VERBS
from sea_toy.spoken.study_phrases import studied_words
from sea_toy.spoken.words import ADJECTIVES, OBJECTS, VERBS

SPLIT_SEED = 0
HELD_OUT_SHARE = 0.1
"""Of the verbs, of the things and of the adjectives."""
LONGEST_RANDOM = 30
"""Characters of a random phrase: so it can be spoken in a clip."""
STUDIED_SHARE = 0.25
"""Of the words of random phrases."""
DETERMINERS = ("a", "a", "a", "the", "some", "")
PREPOSITIONS = ("", "", "", "", "", "", "at", "for", "from", "in", "into", "on", "with")
"""What stands before a noun and after a verb; as often as it is listed."""


@dataclass(frozen=True)
class SpokenPhrase:
    """A phrase, and the words that a description of it must contain.

    Attributes:
        is_random: it is made of frequent words and may mean anything, so no help with it is trained.
    """

    text: str
    kind: Kind
    content_words: tuple[str, ...]
    is_random: bool = False

    @property
    def sentence(self) -> str:
        """The phrase as the content goal states it: "a person is painting a lamp", or the product itself."""
        if self.kind == "product":
            return self.text
        verb, rest = self.text.split(" ", 1)
        return f"a person is {ing_form(verb)} {rest}"


@dataclass(frozen=True)
class Vocabulary:
    """Verbs, things and adjectives to draw from."""

    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    adjectives: tuple[str, ...]

    @cached_property
    def words(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.verbs, *self.objects, *self.adjectives))

    def draw(self, rng: random.Random) -> SpokenPhrase:
        """Draw a phrase: three in four are activities, and half have an adjective."""
        adjectives = (rng.choice(self.adjectives),) if rng.random() < 0.5 else ()
        nouns = (*adjectives, rng.choice(self.objects))
        product = _with_determiner("a", nouns)
        if rng.random() < 0.25:
            return SpokenPhrase(product, "product", nouns)
        verb = rng.choice(self.verbs)
        return SpokenPhrase(f"{verb} {product}", "activity", (verb, *nouns))


def draw_random_phrase(rng: random.Random) -> SpokenPhrase:
    """Draw a phrase of frequent words: "lean on the quiet clock", "some tax bridge", "merge a planet"."""
    while True:
        adjectives = (rng.choice(_source(rng).adjectives),) if rng.random() < 0.3 else ()
        compound = (rng.choice(_source(rng).objects),) if rng.random() < 0.2 else ()
        nouns = (*adjectives, *compound, rng.choice(_source(rng).objects))
        thing = _with_determiner(rng.choice(DETERMINERS), nouns)
        if rng.random() < 0.25:
            phrase = SpokenPhrase(thing, "product", nouns, is_random=True)
        else:
            verb = rng.choice(_source(rng).verbs)
            words = " ".join(filter(None, (verb, rng.choice(PREPOSITIONS), thing)))
            phrase = SpokenPhrase(words, "activity", (verb, *nouns), is_random=True)
        if len(phrase.text) <= LONGEST_RANDOM:
            return phrase


def _source(rng: random.Random) -> Vocabulary:
    frequent, studied = _random_words()
    return studied if rng.random() < STUDIED_SHARE else frequent


@cache
def _random_words() -> tuple[Vocabulary, Vocabulary]:
    """Return frequent words, without all forms of words that are held out, and the words of the study."""
    held_out = split_vocabulary()[1].words
    lists = [
        tuple(word for word in words if not held_out & {word, *_lemmas(word)})
        for words in (FREQUENT_VERBS, FREQUENT_NOUNS, FREQUENT_ADJECTIVES)
    ]
    verbs, others = studied_words()
    return Vocabulary(*lists), Vocabulary(verbs, others, others)


def _lemmas(word: str) -> set[str]:
    return {lemma for lemmas in getAllLemmas(word).values() for lemma in lemmas}


def _with_determiner(determiner: str, nouns: tuple[str, ...]) -> str:
    if determiner == "a" and nouns[0][0] in "aeiou":
        determiner = "an"
    return " ".join(filter(None, (determiner, *nouns)))


def split_vocabulary() -> tuple[Vocabulary, Vocabulary]:
    """Return the words that are trained on, and those that are held out. The same in every run."""
    rng = random.Random(SPLIT_SEED)
    studied = {word for words in studied_words() for word in words}
    studied |= {lemma for word in studied for lemma in _lemmas(word)}
    # The words of the study come last, and so are not held out.
    shuffled = [
        sorted(rng.sample(words, len(words)), key=studied.__contains__) for words in (VERBS, OBJECTS, ADJECTIVES)
    ]
    cuts = [round(HELD_OUT_SHARE * len(words)) for words in shuffled]
    held_out = Vocabulary(*(tuple(words[:cut]) for words, cut in zip(shuffled, cuts, strict=True)))
    # A word in two lists ("a nail", "nail a board") is held out of both.
    lists = [tuple(w for w in words if w not in held_out.words) for words in shuffled]
    return Vocabulary(*lists), held_out


def draw_phrases(
    draw: Callable[[random.Random], SpokenPhrase], count: int, rng: random.Random, exclude: set[str]
) -> list[SpokenPhrase]:
    """Draw different phrases, none of which is in `exclude`, and add them to it."""
    drawn: list[SpokenPhrase] = []
    while len(drawn) < count:
        phrase = draw(rng)
        if phrase.text not in exclude:
            exclude.add(phrase.text)
            drawn.append(phrase)
    return drawn
