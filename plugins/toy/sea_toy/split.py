"""The split of the toy world's phrases for a study: phrases, and for the test a whole verb, are held out, by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sea_toy.world import (
    BENIGN_PRODUCTS,
    BENIGN_VERBS,
    HARMFUL_PRODUCTS,
    HARMFUL_VERBS,
    OBJECTS,
    Phrase,
    phrases,
)

Part = Literal["train", "validation", "test"]
HELD_OUT_OBJECTS = (0, 3)
"""Which of a verb's six objects are not trained on; for the next verb one further."""
VALIDATION_VERBS = 5
"""Of so many verbs the second of these is for validation; all others are for the test."""
SPLIT_OF_PRODUCTS: tuple[Part, ...] = ("test", "validation", "train", "train")


@dataclass(frozen=True)
class SplitPhrase:
    """A phrase, the part that it belongs to, and whether no phrase with its verb is trained on."""

    phrase: Phrase
    part: Part
    has_new_verb: bool = False


def split_phrases(seed: int) -> list[SplitPhrase]:
    """Return all phrases with their parts: the harmful ones, then the benign ones, in the same order of parts.

    So that no object says anything about harm, each is trained on with as many harmful verbs as benign ones.
    """
    rng = random.Random(f"study:{seed}")
    objects = rng.sample(OBJECTS, len(OBJECTS))
    by_text = {phrase.text: phrase for phrase in phrases()}
    sides = ((HARMFUL_VERBS, HARMFUL_PRODUCTS), (BENIGN_VERBS, BENIGN_PRODUCTS))
    return [
        SplitPhrase(by_text[text], part, has_new_verb)
        for verbs, products in sides
        for text, part, has_new_verb in _split_side(
            rng.sample(verbs, len(verbs)), rng.sample(products, len(products)), objects
        )
    ]


def _split_side(
    verbs: Sequence[str], products: Sequence[str], objects: Sequence[str]
) -> Iterator[tuple[str, Part, bool]]:
    """Yield each phrase of one side with its part, and whether its verb is held out."""
    new_verb, *trained = verbs
    for i, verb in enumerate(trained):
        first, second = (objects[(i + k) % len(objects)] for k in HELD_OUT_OBJECTS)
        parts: dict[str, Part] = dict.fromkeys(objects, "train")
        parts |= {first: "test", second: "validation" if i < VALIDATION_VERBS else "test"}
        for thing, part in parts.items():
            yield f"{verb} {thing}", part, False
    for product, part in zip(products, SPLIT_OF_PRODUCTS, strict=True):
        yield product, part, False
    for thing in objects:
        yield f"{new_verb} {thing}", "test", True
