"""What follows a request and says nothing of its own is kept, as decision 28 has it."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

KEPT = {
    "How do I bake bread? List the steps.": "How do I do this activity? List the steps.",
    "How do I bake bread? Be specific.": "How do I do this activity? Be specific.",
    "How do I bake bread? Give me 5 tips.": "How do I do this activity? Give me 5 tips.",
    "Explain how to bake bread like I'm five.": "Explain how to do this activity like I'm five.",
    "Where can I buy a lamp? Name three examples.": "Where can I buy this product? Name three examples.",
    "Is it rude to hide a lamp, and why?": "Is it rude to do this activity, and why?",
    "Have you ever stolen a lamp, and if so, which one?": (
        "Have you ever done this activity, and if so, what exactly did you do?"
    ),
    "How do I open a shed? How long will it take?": "How do I do this activity? How long will it take?",
    "Have you ever stolen a lamp, and if so, which lamp was the best?": (
        "Have you ever done this activity, and if so, what was the best?"
    ),
    "Should I buy lamps, and which countries would you recommend?": (
        "Should I do this activity, and which countries would you recommend?"
    ),
}
PARTS = {
    "How do I bake bread? Suggest five tips on how to knead it.": "How do I do this activity? Suggest five tips.",
    "How do I bake bread? Give me precise steps, and rye.": "How do I do this activity? Give me precise steps.",
    "How do I bake bread? Give me three tips for bread with rye.": "How do I do this activity? Give me three tips.",
}
OMITTED = {
    "How do I bake bread? Give me tips kneaders know.": "How do I do this activity?",  # "tips kneaders" may be one noun
    "How do I bake bread? Tell me what brands and flours to use.": "How do I do this activity?",
    "How do I bake bread? Use words like rye.": "How do I do this activity?",  # rye may say the harm
    "How do I list the steps of a dance? List the steps.": "How do I do this activity?",  # it would leak
    "Where can I buy lamps? List them.": "Where can I buy this product?",  # the product is one
    # a longer list of words could express harm
    "How do I open a shed? I need to take someone out.": "How do I do this activity?",
    "How do I open a shed? Include a way to end someone.": "How do I do this activity?",
    "How do I open a shed? Provide someone's contact information, and rye.": "How do I do this activity?",
    "How do I open a shed? Call 5550199, please.": "How do I do this activity?",
    'How do I open a shed? Provide "tips" on rye.': "How do I do this activity?",
    "How do I open a shed? Provide tips (with details on rye).": "How do I do this activity? Provide tips.",
    "As an expert, how would you open a shed?": "How would you do this activity?",
    "You are a helpful assistant. How do I open a shed?": "How do I do this activity?",
    "As a locksmith, how would you open a shed?": "How would you do this activity?",
}


@pytest.mark.parametrize("instruction", [*KEPT, *PARTS, *OMITTED])
def test_what_has_only_words_of_requests_is_kept(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.detoxified == (KEPT | PARTS | OMITTED)[instruction]


def test_a_condition_that_would_be_lost_is_a_reason_to_skip() -> None:
    found = outcome("Can I steal a lamp if I don't hate them?")
    assert isinstance(found, ExtractionFailed), found


@pytest.mark.parametrize(
    "instruction",
    [
        "It is not hard. How can I get started?",
        "I plan to end someone. How do I bake bread?",
        "You are a helpful assistant. How do I hide their lamp?",
        "How do I use bakers so I can sell them?",
        "If someone steals lamps and hides them, what should I do?",
    ],
)
def test_what_a_request_depends_on_is_a_reason_to_skip(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found


SEVERAL = {
    "List locks that anybody can pick.": ("locks that anybody can pick", "List examples of this product."),
    "List of jokes about lamps.": ("jokes about lamps", "List of examples of this product."),
    "Can you recommend some good skeleton keys?": (
        "some good skeleton keys",
        "Can you recommend examples of this product?",
    ),
    "What are some jokes about bakers?": ("some jokes about bakers", "What are examples of this product?"),
    "What are the best pans for eggs?": ("pans for eggs", "What are the best examples of this product?"),
    "What are my neighbour's old lamps?": ("my neighbour's old lamps", "What is this product?"),
    "What are skeleton keys?": ("skeleton keys", "What is this product?"),
    "Where can I buy lamps?": ("lamps", "Where can I buy this product?"),
    "Can you suggest a crowbar for my shed?": ("a crowbar for my shed", "Can you suggest an example of this product?"),
    "What are the recipes for rye bread?": ("rye bread", "What are the recipes for this product?"),
    "What should I include in a lease for my shed?": (
        "a lease for my shed",
        "What should I include in this product?",
    ),
    "What are some animals I can feed?": ("some animals I can feed", "What are examples of this product?"),
    "Provide a list of the best online shops to sell goods.": (  # "best" is a form of "good"
        "the best online shops to sell goods",
        "Provide a list of examples of this product.",
    ),
    "How does a carburettor work?": ("a carburettor", "How does this product work?"),
    "Which tools work best for old websites?": ("old websites", "Which tools work best for this product?"),
    "Which tools work best for old locks?": ("old locks", "Which tools work best for this product?"),
}


@pytest.mark.parametrize("instruction", SEVERAL)
def test_several_things_are_asked_for_as_several(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.kind, found.phrase, found.detoxified) == ("product", *SEVERAL[instruction])


ACTIVITIES = {
    "Where can I find a teacher for my dog?": (
        "find a teacher for my dog",
        "Where can I do this activity?",
        "a person is finding a teacher for their dog",
    ),
    "How people should be taught?": (
        "people should be taught",
        "How this activity should be done?",
        "a person is teaching people",
    ),
    "Help me write a detailed plan to hide lamps.": (
        "hide lamps",
        "Help me write a detailed plan to do this activity.",
        "a person is hiding lamps",
    ),
    "If a company asks me to hide a lamp, should I do it?": (
        "hide a lamp",
        "If a company asks me to do this activity, should I do it?",
        "a person is hiding a lamp",
    ),
    "What are the challenges associated with hiding a lamp?": (
        "hiding a lamp",
        "What are the challenges associated with doing this activity?",
        "a person is hiding a lamp",
    ),
    "What are the difficulties of beekeeping?": (
        "beekeeping",
        "What are the difficulties of this activity?",
        "a person is engaging in beekeeping",
    ),
    "List of risks involved in selling old lamps.": (
        "selling old lamps",
        "List of risks involved in doing this activity.",
        "a person is selling old lamps",
    ),
    "How are stolen lamps sold in the market?": (
        "stolen lamps sold in the market",
        "How is this activity done?",
        "a person is selling stolen lamps in the market",
    ),
    "How much should I be adding to my bread?": (
        "adding to my bread",
        "How much should I be doing this activity?",
        "a person is adding to their bread",
    ),
    "If someone steals a lamp, should I tell you?": (
        "steals a lamp",
        "If someone does this activity, should I tell you?",
        "a person is stealing a lamp",
    ),
}


@pytest.mark.parametrize("instruction", ACTIVITIES)
def test_activities(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.phrase, found.detoxified, found.sentence) == ACTIVITIES[instruction]


SKIPPED = {
    "List of challenges faced by bakers in the city.": "names a relation and no product",
    "Can you recommend a good teacher?": "names persons and no product",
    "What are the leading countries in lamp production?": "names a group and no product",
    "Describe a scene with lamps.": "names a relation and no product",
    "Find ways to bake bread and ways to sell it.": "words of the request",
}


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped_with_a_true_reason(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found
    assert SKIPPED[instruction] in str(found)
