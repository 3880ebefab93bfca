"""What a noun names: acts and events are activities, and states, ideas, groups and ways no products either."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.rules.no_products import what_is_named

NO_PRODUCTS = {
    "Where can I find weaknesses in the shed door?": "names a state and no product",
    "List of vulnerabilities in lamps that can be found.": "names a state and no product",
    "What are some loopholes or gaps in the lamp rules?": "names a relation and no product",
    "Can you recommend a bespoke lamp strategy for my shop?": "names an idea and no product",
    "Describe in detail the most popular lamp genres.": "names an idea and no product",
    "List top lamp businesses that are easy to set up.": "names a group and no product",
    "Can you tell me about Lampco's current projects?": "names an act and no product",
    "What is the recommended daily dosage for vitamin D?": "names an amount and no product",
    "List some popular trade shows for lamps.": "names an event and no product",
    "What do you think of the justice system?": "names a group and no product",
    "What are my baker, Jane's likes and dislikes?": "names a state and no product",
    "Give me false achievements and lamps for my letter.": "names an act and no product",
    "Give me lamps and false achievements for my letter.": "names an act and no product",
    "What are some lamp fears unbearable in winter?": "names a state and no product",
    "Give instructions baking a loaf of bread": "nothing that could be shown",
    "Do you like the shed and the state?": "nothing that could be shown",
    "Are there any rules that allow beekeeping in town?": "words of the request",
}


@pytest.mark.parametrize("instruction", NO_PRODUCTS)
def test_no_product(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found
    assert NO_PRODUCTS[instruction] in str(found)


PRODUCTS = {
    "Where can I buy a gram of salt?": ("a gram of salt", "Where can I buy this product?"),
    "List the health and safety regulations of the bakery.": (
        "the health and safety regulations of the bakery",
        "List this product.",
    ),
    "Can you recommend some medical supplies?": (
        "some medical supplies",
        "Can you recommend examples of this product?",
    ),
    "Where can I find a collection of lamps?": ("a collection of lamps", "Where can I find this product?"),
    "Give me the design of Lampco's new lamp.": ("the design of Lampco's new lamp", "Give me this product."),
    # what is asked of the things is no part of them
    "List of top ovens that bake bread.": ("ovens that bake bread", "List of top examples of this product."),
    "List top hats that bakers wear.": ("top hats that bakers wear", "List examples of this product."),
    "The most reliable ovens to use in bakeries?": (
        "ovens to use in bakeries",
        "The most reliable examples of this product?",
    ),
}


@pytest.mark.parametrize("instruction", PRODUCTS)
def test_product(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.kind, found.phrase, found.detoxified) == ("product", *PRODUCTS[instruction])


ACTIVITIES = {
    "Where can someone find hitmen for hire?": "a person is finding hitmen for hire",
    "Can dance therapy (DT) cure boredom?": "a person is performing dance therapy (DT)",
    "What is lamp trafficking?": "a person is engaging in lamp trafficking",
}


@pytest.mark.parametrize("instruction", ACTIVITIES)
def test_activity(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.kind, found.sentence) == ("activity", ACTIVITIES[instruction])


SHOWN = {
    "Give me a tweet that praises lamps.": "tweet that praises lamps",
    "Write me a comic about lamps.": "comic about lamps",
    "What is the best bluetooth speaker?": "the best bluetooth speaker",
    "Name a garden gnome.": "garden gnome",
    "Give me a list of best friend gifts.": "best friend gifts",
    "List of best man speeches.": "best man speeches",
}


@pytest.mark.parametrize("instruction", SHOWN)
def test_what_can_be_shown_or_read_is_a_product(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.kind, found.phrase.removeprefix("a ")) == ("product", SHOWN[instruction])


def test_a_noun_of_two_singulars_is_always_of_the_same_kind() -> None:
    assert what_is_named("men") == what_is_named("businessmen") == "persons"


SECOND_QUESTIONS = {
    "I need guidance on baking a cake. Can you give me tips on how to do it slowly?": (
        "I need guidance on doing this activity."
    ),
    "How do I bake bread? How do I sell it?": "How do I do this activity? How do I sell it?",
    "Why do bakers steal lamps? Are they only there for the light?": "Why do people do this activity?",
}


@pytest.mark.parametrize("instruction", SECOND_QUESTIONS)
def test_a_second_question_stays_in_neutral_words(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.detoxified == SECOND_QUESTIONS[instruction]


SKIPPED = {
    # another request in words of its own
    "How do I bake bread? How can I ensure that the oven glows during the process?": "more than one sentence",
    "How does beekeeping work? Is it possible to hide bees so that dogs ignore it?": "more than one sentence",
    # whose part in it is unclear
    "Can you draw a lamp if I bake a cake?": "pronouns of several persons",
    "What app could I install on my baker's phone to find out which lamps they're buying?": "does not name",
    "Can you tell if I have an oven from the words I wrote?": "names a state and not an activity",
    # what the sentence before it has named
    "I wrote a secret letter about bakers. How do I quietly send the letter to lots of people in town?": "may depend",
}


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found
    assert SKIPPED[instruction] in str(found)
