"""The split of the toy world's phrases for a study: phrases and whole verbs are held out, by a seed."""

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
SPLIT_OF_OBJECTS: tuple[Part, ...] = ("test", "validation", "train", "test", "train", "train")
"""What becomes of the six phrases of a verb that is trained on; the next verb begins one object further."""
SPLIT_OF_PRODUCTS: tuple[Part, ...] = ("test", "validation", "train", "train")
HELD_OUT_VERBS: tuple[Part, ...] = ("test", "validation")
"""What the verbs of each side that are not trained on are for."""


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
    held_out, trained = verbs[: len(HELD_OUT_VERBS)], verbs[len(HELD_OUT_VERBS) :]
    for i, verb in enumerate(trained):
        for k, part in enumerate(SPLIT_OF_OBJECTS):
            yield f"{verb} {objects[(i + k) % len(objects)]}", part, False
    for product, part in zip(products, SPLIT_OF_PRODUCTS, strict=True):
        yield product, part, False
    for verb, part in zip(held_out, HELD_OUT_VERBS, strict=True):
        for thing in objects:
            yield f"{verb} {thing}", part, True
