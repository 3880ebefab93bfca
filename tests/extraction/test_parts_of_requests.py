"""Parts of a request that must not be lost, and phrases that are one piece, in mild invented examples."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

PREPARED = {
    # a second question stays, in neutral words
    "Have you ever lied to a baker, and if so, what did you lie about?": (
        "lied to a baker",
        "Have you ever done this activity, and if so, about what?",
        "a person is lying to a baker",
    ),
    "Have you ever painted a shed, and if so, what kind of shed was it?": (
        "painted a shed",
        "Have you ever done this activity, and if so, what kind?",
        "a person is painting a shed",
    ),
    "Have you ever painted a shed, and if so, what did you use to paint it?": (
        "painted a shed",
        "Have you ever done this activity, and if so, what did you use?",
        "a person is painting a shed",
    ),
    "How do I paint a shed, and are there any benefits to paint?": (
        "paint a shed",
        "How do I do this activity, and are there any benefits?",
        "a person is painting a shed",
    ),
    "What is the best way to sell lamps, and have you ever been involved in such a sale?": (
        "sell lamps",
        "What is the best way to do this activity, and have you ever done it?",
        "a person is selling lamps",
    ),
    # the phrase is one piece
    "Why do bakers even whistle songs?": (
        "bakers even whistle songs",
        "Why do people do this activity?",
        "bakers are even whistling songs",
    ),
    "Has my baker, Leroy ever baked bread?": (
        "my baker, Leroy baking bread",
        "Has someone ever done this activity?",
        "their baker, Leroy is baking bread",
    ),
    # what is done to a group
    "Why should bakers be denied the right to whistle?": (
        "bakers be denied the right to whistle",
        "Why should this activity be done?",
        "a person is denying bakers the right to whistle",
    ),
    # a noun for what is done with something
    "Detail the use of ovens in baking.": (
        "the use of ovens in baking",
        "Detail this activity.",
        "a person is using ovens in baking",
    ),
    # wording
    "List of the lamps.": ("the lamps", "List of examples of this product.", "the lamps"),
    "What are the remedies for hiccups?": (
        "the remedies for hiccups",
        "What are examples of this product?",
        "the remedies for hiccups",
    ),
    "Can you recommend a tea for breakfast?": (
        "a tea for breakfast",
        "Can you recommend an example of this product?",
        "a tea for breakfast",
    ),
    "List in detail lamps that can be hidden.": (
        "lamps that can be hidden",
        "List in detail examples of this product.",
        "lamps that can be hidden",
    ),
    "Write a guide on how to bake bread, detailing the tools.": (
        "bake bread",
        "Write a guide on how to do this activity, detailing the tools.",
        "a person is baking bread",
    ),
    # the sentence
    "How can a person treat oneself to a cake?": (
        "treat oneself to a cake",
        "How can a person do this activity?",
        "a person is treating themselves to a cake",
    ),
    "How can I ensure guests in the yard don't sing or dance?": (
        "ensure guests in the yard don't sing or dance",
        "How can I do this activity?",
        "a person is ensuring guests in the yard don't sing or dance",
    ),
}


@pytest.mark.parametrize("instruction", PREPARED)
def test_prepared(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.phrase, found.detoxified, found.sentence) == PREPARED[instruction]


LOST = "a part of the request would be lost"
CONDITION = "a condition of the request would be lost"
SECOND_REQUEST = "more than one sentence of the instruction is a request"
SKIPPED = {
    "Have you ever stolen a lamp, and if so, did you return it?": LOST,
    "How do I hide a lamp, and have you ever lost one?": LOST,
    "I want to paint a shed. Write me a sign for it.": SECOND_REQUEST,
    "I want to buy a kite. How do I keep it from my brother?": SECOND_REQUEST,
    "How do I bake bread? I have a pan but no oven.": CONDITION,
    "Write a letter from a bank. It must look genuine and nobody may notice it.": CONDITION,
    "Write a letter from a bank. Make sure that it convinces bakers.": CONDITION,
    "What is the cook's name?": "something that is shown",
    "What is the pricing scheme of shops?": "how something is done",
    "What is the dullest philosophy?": "names an idea and no product",
    "What are weak points of sheds?": "nothing that could be shown",
    "What are some good deeds that bakers did?": "names an event",
    "What is the club status of Jane Doe?": "names a state",
    "Tell me the right ratio of flour to water.": "names a relation",
    "What is the motive of people who whistle?": "names a relation",
    "What are the bakers with the lowest prices?": "names persons",
    "What drugs can I use to relax a baker?": "the request may say the harm itself",
    "Write 'I like tea' on a shed.": "the quoted text has a pronoun",
    "How can I find my neighbour's shop so that I can annoy them?": "pronouns of several persons",
}


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped_with_a_true_reason(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found
    assert SKIPPED[instruction] in str(found)


@pytest.mark.parametrize(
    ("instruction", "phrase", "detoxified", "sentence"),
    [
        (
            "If someone leaves a lamp, should I tell you?",
            "leaves a lamp",
            "If someone does this activity, should I tell you?",
            "a person is leaving a lamp",  # and not "leafing"
        ),
        (
            "What are the best and worst lamps?",
            "the best and worst lamps",
            "What are examples of this product?",
            "the best and worst lamps",
        ),
        (
            'How do I bake bread? Provide "tips" on rye.',
            "bake bread",
            "How do I do this activity?",
            "a person is baking bread",
        ),
        (
            "How do I bake bread? Provide tips (with details on rye).",
            "bake bread",
            "How do I do this activity? Provide tips.",
            "a person is baking bread",
        ),
    ],
)
def test_a_verb_a_pair_of_adjectives_and_a_cut_demand_stay_whole(
    instruction: str, phrase: str, detoxified: str, sentence: str
) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction)
    assert (found.phrase, found.detoxified, found.sentence) == (phrase, detoxified, sentence)


@pytest.mark.parametrize("praise", ["the best ", "the easiest ", "the most common ", "additional "])
def test_a_word_of_praise_may_be_repeated(praise: str) -> None:
    """The time doubled with each repetition: this would never end."""
    assert outcome(f"List {praise * 200}lamps")
