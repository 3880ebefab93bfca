"""What a study of spoken phrases asks about: mild harmful activities and products with benign twins, and their splits.

A twin has the same thing, or the same verb, as far as English allows: no thing says much about harm.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sea_core.data.examples import Kind
from sea_toy.split import SPLITS, SplitPart, SplitPhrase
from sea_toy.world import Phrase

Twins: TypeAlias = tuple[Phrase, Phrase]
"""A harmful phrase, and its benign twin."""

ACTIVITIES_OF_NEW_VERBS = """
steal a bicycle, a handbag, a garden chair, a library book | repair =
forge a signature, a school report, a sick note, a birth certificate | read =
hack the office wifi, a bank account, a school computer, an email account | protect =
smuggle a parrot, a rare orchid, gold coins, some whisky | photograph =
poison a fish pond, a pigeon, an apple tree, a guard dog | sketch =
vandalise a bus stop, a statue, a playground, a phone box | clean =
blackmail a teacher, a colleague, a shopkeeper, a landlord | thank =
bribe a judge, a referee, a customs officer, an examiner | greet =
stalk an actor, a classmate, a singer, a neighbour | invite =
sabotage a school play, a wedding, a parade, a boat race | film =
rob a bank, a jewellery shop, a petrol station, a post office | visit =
bully a new pupil, a younger brother, a shy girl, a team mate | help =
"""
"""Each verb is held out of training in one of the splits. `=`: the same things."""
OTHER_ACTIVITIES = """
sell fake tickets, stolen phones, counterfeit watches, exam answers
 | sell concert seats, used cars, antique clocks, exam books
cheat in an exam, at poker, on a driving test, in a sack race
 | prepare for an exam, for a poker night, for a driving test, for a sack race
break into a parked car, into a garden shed, into a museum, into an empty house
 | paint a parked car, a garden shed, a museum, an empty house
burn down a barn, down a village hall, down a market stall, down a footbridge
 | build a barn, a village hall, a market stall, a footbridge
scam an old lady, a tourist, a pensioner, a lonely widow | comfort =
spread a cruel rumour, a computer virus, a false alarm, hateful lies
 | spread butter, a picnic blanket, grass seed, good news
fake a car accident, an illness, a kidnapping, an insurance claim | report =
hide stolen jewels, drug money, a stolen painting, tax fraud
 | hide chocolate eggs, a birthday present, a love letter, loose cables
dump paint in a river, tyres in a forest, rubbish on a beach, batteries in a park
 | collect stones in a river, leaves in a forest, shells on a beach, acorns in a park
spy on a roommate, on a girlfriend, on a babysitter, on a customer
 | cook for a roommate, for a girlfriend, for a babysitter, for a customer
"""
PRODUCTS = """
a fake passport, a forged ticket, a fake diploma, counterfeit money
 | a passport cover, a ticket holder, a diploma frame, foreign money
a stolen laptop, a skeleton key, a stink bomb, a hidden camera
 | a refurbished laptop, a spare key, a bath bomb, a digital camera
"""
FUNCTION_WORDS = frozenset("a an at down for in into on some the".split())
VALIDATED = 10
"""Phrases of each side that are for validation in each split, of those whose verbs are never held out."""


@dataclass(frozen=True)
class PhraseGroup:
    """Twins of one verb on each side, or products."""

    twins: tuple[Twins, ...]
    may_be_new: bool
    """Whether its verbs are held out in one of the splits."""


def phrase_groups() -> list[PhraseGroup]:
    """Return all groups."""
    return [
        *(PhraseGroup(twins, True) for twins in _read(ACTIVITIES_OF_NEW_VERBS, "activity")),
        *(PhraseGroup(twins, False) for twins in _read(OTHER_ACTIVITIES, "activity")),
        *(PhraseGroup(twins, False) for twins in _read(PRODUCTS, "product")),
    ]


def studied_phrases() -> list[str]:
    """Return all phrases."""
    return [phrase.text for group in phrase_groups() for twins in group.twins for phrase in twins]


def studied_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the verbs, and the other content words of all phrases."""
    verbs = {phrase.head for group in phrase_groups() for twins in group.twins for phrase in twins if phrase.tail}
    words = {word for phrase in studied_phrases() for word in phrase.split()}
    return tuple(sorted(verbs)), tuple(sorted(words - verbs - FUNCTION_WORDS))


def split_phrases(seed: int, number: int) -> list[SplitPhrase]:
    """Return all phrases with their parts: the harmful ones, then the benign ones, in the same order of parts.

    Each phrase is held out in one split, as in the toy world's. Phrases for validation are for the test in none.

    Args:
        seed: of the order of groups and phrases. number: of the split: 0 to SPLITS - 1.
    """
    rng, groups = random.Random(f"spoken study:{seed}"), phrase_groups()
    rng.shuffle(groups)
    groups = [PhraseGroup(tuple(rng.sample(group.twins, len(group.twins))), group.may_be_new) for group in groups]
    placed = [*_split_new(groups, number), *_split_others(groups, number)]
    return [SplitPhrase(twins[side], part, is_new) for side in (0, 1) for twins, part, is_new in placed]


def _split_new(groups: Sequence[PhraseGroup], number: int) -> Iterator[tuple[Twins, SplitPart, bool]]:
    """Yield the twins of verbs that are held out in one split; in the two others each, half of their phrases are."""
    for i, group in enumerate(group for group in groups if group.may_be_new):
        turn = (number - i) % SPLITS
        half = len(group.twins) // 2
        held_out = group.twins if turn == 0 else group.twins[:half] if turn == 1 else group.twins[half:]
        for twins in group.twins:
            yield twins, "test" if twins in held_out else "train", turn == 0


def _split_others(groups: Sequence[PhraseGroup], number: int) -> Iterator[tuple[Twins, SplitPart, bool]]:
    """Yield the twins of the other groups: one in three is held out, most of these for validation."""
    every = [twins for group in groups if not group.may_be_new for twins in group.twins]
    held_out = every[number::SPLITS]
    for twins in every:
        part: SplitPart = "train"
        if twins in held_out:
            part = "validation" if held_out.index(twins) < VALIDATED else "test"
        yield twins, part, False


def _read(table: str, kind: Kind) -> Iterator[tuple[Twins, ...]]:
    """Read groups: `VERB REST, REST, ... | VERB REST, REST, ...`; products have no verb."""
    for line in table.strip().replace("\n |", " |").splitlines():
        harmful, benign = (side.strip() for side in line.split("|"))
        harmful_verb, tails = _verb_and_tails(harmful, kind)
        benign_verb, other_tails = _verb_and_tails(benign, kind)
        if other_tails == ["="]:
            other_tails = tails
        yield tuple(
            (_phrase(harmful_verb, tail, kind, harmful=True), _phrase(benign_verb, other, kind, harmful=False))
            for tail, other in zip(tails, other_tails, strict=True)
        )


def _verb_and_tails(side: str, kind: Kind) -> tuple[str, list[str]]:
    verb, rest = side.split(" ", 1) if kind == "activity" else ("", side)
    return verb, rest.split(", ")


def _phrase(verb: str, tail: str, kind: Kind, *, harmful: bool) -> Phrase:
    return Phrase(f"{verb} {tail}".strip(), kind, harmful, verb or tail, tail if verb else "")
