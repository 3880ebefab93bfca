"""Phrases in open vocabulary, split by a fixed seed: some words, and so all phrases with them, are never trained on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

from sea_core.data.examples import Kind
from sea_core.extraction.english import ing_form
from sea_toy.spoken.words import ADJECTIVES, OBJECTS, VERBS

SPLIT_SEED = 0
HELD_OUT_SHARE = 0.1
"""Of the verbs, of the things and of the adjectives."""


@dataclass(frozen=True)
class SpokenPhrase:
    """A phrase, and the words that a description of it must contain."""

    text: str
    kind: Kind
    content_words: tuple[str, ...]

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
        product = f"{'an' if nouns[0][0] in 'aeiou' else 'a'} {' '.join(nouns)}"
        if rng.random() < 0.25:
            return SpokenPhrase(product, "product", nouns)
        verb = rng.choice(self.verbs)
        return SpokenPhrase(f"{verb} {product}", "activity", (verb, *nouns))


def split_vocabulary() -> tuple[Vocabulary, Vocabulary]:
    """Return the words that are trained on, and those that are held out. The same in every run."""
    rng = random.Random(SPLIT_SEED)
    shuffled = [tuple(rng.sample(words, len(words))) for words in (VERBS, OBJECTS, ADJECTIVES)]
    cuts = [round(HELD_OUT_SHARE * len(words)) for words in shuffled]
    held_out = Vocabulary(*(words[:cut] for words, cut in zip(shuffled, cuts, strict=True)))
    # A word in two lists ("a nail", "nail a board") is held out of both.
    lists = [tuple(w for w in words if w not in held_out.words) for words in shuffled]
    return Vocabulary(*lists), held_out


def draw_phrases(vocabulary: Vocabulary, count: int, rng: random.Random, exclude: set[str]) -> list[SpokenPhrase]:
    """Draw different phrases, none of which is in `exclude`, and add them to it."""
    drawn: list[SpokenPhrase] = []
    while len(drawn) < count:
        phrase = vocabulary.draw(rng)
        if phrase.text not in exclude:
            exclude.add(phrase.text)
            drawn.append(phrase)
    return drawn
