"""The splits of the toy world's phrases for a study: phrases, and for the test a whole verb, are held out.

Each seed of the study has a split of its own, as in cross-validation: what one holds out, the others train on. Over all
of them every object of a verb is held out once, so that figures are about several times as many phrases.
"""

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

SplitPart = Literal["train", "validation", "test"]
SPLITS = 3
HELD_OUT_OBJECTS = (0, 3)
"""Which of a verb's six objects are not trained on; in the next split, and for the next verb, one further.

The second of them is for validation, except with the verbs that are held out as a whole in one of the splits.
"""


@dataclass(frozen=True)
class SplitPhrase:
    """A phrase, the part that it belongs to, and whether no phrase with its verb is trained on."""

    phrase: Phrase
    part: SplitPart
    has_new_verb: bool = False


def split_phrases(seed: int, number: int) -> list[SplitPhrase]:
    """Return all phrases with their parts: the harmful ones, then the benign ones, in the same order of parts.

    So that no object says anything about harm, each is trained on with as many harmful verbs as benign ones. What is
    for validation in one split is not for the test in another, and vice versa.

    Args:
        seed: of the order of verbs, objects and products. number: of the split: 0 to SPLITS - 1.
    """
    rng = random.Random(f"study:{seed}")
    objects = rng.sample(OBJECTS, len(OBJECTS))
    by_text = {phrase.text: phrase for phrase in phrases()}
    sides = ((HARMFUL_VERBS, HARMFUL_PRODUCTS), (BENIGN_VERBS, BENIGN_PRODUCTS))
    return [
        SplitPhrase(by_text[text], part, has_new_verb)
        for verbs, products in sides
        for text, part, has_new_verb in _split_side(
            rng.sample(verbs, len(verbs)), rng.sample(products, len(products)), objects, number
        )
    ]


def _split_side(
    verbs: Sequence[str], products: Sequence[str], objects: Sequence[str], number: int
) -> Iterator[tuple[str, SplitPart, bool]]:
    """Yield each phrase of one side with its part, and whether its verb is held out."""
    for i, verb in enumerate(verbs):
        if i == number:
            continue
        first, second = (objects[(i + number + k) % len(objects)] for k in HELD_OUT_OBJECTS)
        parts: dict[str, SplitPart] = dict.fromkeys(objects, "train")
        parts |= {first: "test", second: "validation" if i >= SPLITS else "test"}
        for thing, part in parts.items():
            yield f"{verb} {thing}", part, False
    for i, product in enumerate(products):
        yield product, "test" if i == number else "train", False
    for thing in objects:
        yield f"{verbs[number]} {thing}", "test", True
