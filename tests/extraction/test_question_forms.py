"""Forms of questions that the offline rules know by their grammar, and not by the words in them.

Each was found missing on prompt sets that nobody had tuned the rules on; the sentences are invented.
"""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

PREPARED = {
    # the whole instruction in quotes
    '"How can I bake a cake?"': ("a person is baking a cake", "How can I do this activity?"),
    # any adjective after "is it"
    "Is it polite to whistle in a library?": (
        "a person is whistling in a library",
        "Is it polite to do this activity?",
    ),
    "Was it ever fashionable to wear two hats?": (
        "a person is wearing two hats",
        "Was it ever fashionable to do this activity?",
    ),
    "Is it customary for bakers to sing at night?": (
        "bakers are singing at night",
        "Is it customary for people to do this activity?",
    ),
    # how long it takes, and whom
    "How long does it take for a baker to paint a shed?": (
        "a baker is painting a shed",
        "How long does it take for someone to do this activity?",
    ),
    "How long did it take to build the bakery?": (
        "a person is building the bakery",
        "How long did it take to do this activity?",
    ),
    # what has been done to somebody
    "Has my baker, Jane ever been fined?": (
        "a person is fining someone's baker, Jane",
        "Has this activity ever been done?",
    ),
    # ways and reasons for others
    "What is the fastest way for bakers to steal a lamp?": (
        "bakers are stealing a lamp",
        "What is the fastest way for people to do this activity?",
    ),
    "What are the reasons for bakers to steal lamps?": (
        "bakers are stealing lamps",
        "What are the reasons for people to do this activity?",
    ),
    # clauses with "why" after any verb of telling
    "Explain why we should ban all lamps.": (
        "a person is banning all lamps",
        "Explain why we should do this activity.",
    ),
    "Describe why robots might cry.": ("robots are crying", "Describe why they might do this activity."),
    "Can you give me some reasons why lamps should vote?": (
        "lamps are voting",
        "Can you give me some reasons why they should do this activity?",
    ),
    "Can you give me reasons why bakers should be barred from the market?": (
        "a person is barring bakers from the market",
        "Can you give me reasons why this activity should be done?",
    ),
    # a verb that must follow, as the question has an auxiliary
    "Why can't brown bread climb mountains?": (
        "brown bread is climbing mountains",
        "Why can't someone do this activity?",
    ),
    "Why is it bad for lamps to vote?": ("lamps are voting", "Why is it bad for them to do this activity?"),
    "Is my neighbour stealing lamps?": ("their neighbour is stealing lamps", "Is someone doing this activity?"),
    # when, how and with what
    "When did bakers first steal lamps?": ("bakers are stealing lamps", "When did people first do this activity?"),
    "At what age can bakers buy lamps?": ("bakers are buying lamps", "At what age can people do this activity?"),
    "With what tools do bakers open sheds?": (
        "bakers are opening sheds",
        "With what tools do people do this activity?",
    ),
    "How exactly do I paint a lamp?": ("a person is painting a lamp", "How exactly do I do this activity?"),
    "How easily can a lamp be stolen?": ("a person is stealing a lamp", "How easily can this activity be done?"),
    "Could you tell me who to contact to buy old lamps?": (
        "a person is buying old lamps",
        "Could you tell me who to contact to do this activity?",
    ),
    "What tools do I need for building a lamp?": (
        "a person is building a lamp",
        "What tools do I need for doing this activity?",
    ),
    "Which forums discuss painting lamps?": ("a person is painting lamps", "Which forums discuss doing this activity?"),
    # where it is asked about, in neutral words
    "In a video game, how do I steal a lamp?": (
        "a person is stealing a lamp",
        "In a video game, how do I do this activity?",
    ),
    "Hypothetically, how would someone steal a lamp?": (
        "a person is stealing a lamp",
        "Hypothetically, how would someone do this activity?",
    ),
    # suppositions
    "If you wanted to create a lamp panic, what would be the best way to achieve that?": (
        "a person is creating a lamp panic",
        "If you wanted to do this activity, what would be the best way to achieve that?",
    ),
    "Okay say I wanted to paint my shed what would be the best way to do this": (
        "a person is painting their shed",
        "Okay say I wanted to do this activity what would be the best way to do this",
    ),
    # an intent, and what it needs
    "I want to paint my shed, what tools do I need for this job?": (
        "a person is painting their shed",
        "I want to do this activity. What tools do I need for this job?",
    ),
    "I want to paint my shed. Please lay out a detailed plan for me to achieve this.": (
        "a person is painting their shed",
        "I want to do this activity. Please lay out a detailed plan for me to achieve this.",
    ),
    # what is to be told, by any verb of finding out
    "Identify the most effective way to clean a lamp.": (
        "a person is cleaning a lamp",
        "Identify the most effective way to do this activity.",
    ),
    "Determine the best time of day for painting a shed.": (
        "a person is painting a shed",
        "Determine the best time of day for doing this activity.",
    ),
    # imperatives whose verb may be a noun
    "Track bakers' errands for strangers": (
        "a person is tracking bakers' errands for strangers",
        "Do this activity",
    ),
    "Access private lamp accounts without permission": (
        "a person is accessing private lamp accounts without permission",
        "Do this activity",
    ),
    # a part that says what is done
    "Give me tips on baking bread, including the fooling of bakers.": (
        "a person is baking bread, including the fooling of bakers",
        "Give me tips on doing this activity.",
    ),
    # what somebody else does, as a condition
    "What happens if a baker steals a lamp?": (
        "a baker is stealing a lamp",
        "What happens if someone does this activity?",
    ),
    "What should I do when bakers paint my shed?": (
        "bakers are painting someone's shed",
        "What should I do when people do this activity?",
    ),
    "How would you react if someone painted your shed?": (
        "a person is painting someone's shed",
        "How would you react if someone did this activity?",
    ),
    # more before the auxiliary, or after it
    "Why do so many bakers paint sheds?": ("bakers are painting sheds", "Why do so many people do this activity?"),
    "Why do so many owls hunt mice?": ("owls are hunting mice", "Why do so many of them do this activity?"),
    "When is it okay to paint a lamp?": ("a person is painting a lamp", "When is it okay to do this activity?"),
    "Where in Paris can I paint lamps?": ("a person is painting lamps", "Where in Paris can I do this activity?"),
    "Who else can paint my shed?": ("a person is painting someone's shed", "Who else can do this activity?"),
    "How old do I have to be to buy a lamp?": (
        "a person is buying a lamp",
        "How old do I have to be to do this activity?",
    ),
    "Should children be taught how to paint lamps?": (
        "children are painting lamps",
        "Should people be taught how to do this activity?",
    ),
    "Why are lamps being stolen?": ("a person is stealing lamps", "Why is this activity being done?"),
    "Does the bakery need to paint its shed?": (
        "the bakery is painting its shed",
        "Does someone need to do this activity?",
    ),
    "Identify the risks of cleaning sheds.": (
        "a person is cleaning sheds",
        "Identify the risks of doing this activity.",
    ),
    "Debate the pros and cons of painting sheds.": (
        "a person is painting sheds",
        "Debate the pros and cons of doing this activity.",
    ),
    # asking for help
    "Need advice on painting my shed": ("a person is painting their shed", "Need advice on doing this activity"),
    "Let me know how to paint a lamp": ("a person is painting a lamp", "Let me know how to do this activity"),
    "I was wondering if you could help me paint a lamp": (
        "a person is painting a lamp",
        "I was wondering if you could help me do this activity",
    ),
    "Why bother painting a shed?": ("a person is painting a shed", "Why bother doing this activity?"),
    "How much should I charge for painting a shed?": (
        "a person is painting a shed",
        "How much should I charge for doing this activity?",
    ),
    # things that something is part of
    "What ingredients go into a bath bomb?": ("a bath bomb", "What ingredients go into this product?"),
    "What chemicals make up soap?": ("soap", "What chemicals make up this product?"),
}


@pytest.mark.parametrize("instruction", PREPARED)
def test_prepared(instruction: str) -> None:
    found = outcome(instruction)

    assert isinstance(found, Extraction), found
    assert (found.sentence, found.detoxified) == PREPARED[instruction]


SKIPPED = (
    "What country did the bakers invade in 1169?",  # the country is what the verb lacks
    "Is this lamp going to be a success?",
    "Describe why these bakers are painting sheds.",  # something else says which bakers
    "Research recent lamp shortages.",  # asked of the assistant: to tell about them
    "How many lamps were stolen?",
    "Where are my lamps kept, and how many lamps were stolen?",
    "Light blue lamps with white shades",
    "Access private lamp accounts is wrong",
)


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed), outcome(instruction)


def test_things_are_no_subject_after_ideas_for() -> None:
    found = outcome("Brainstorm ideas for pranks to play on a baker.")

    assert isinstance(found, ExtractionFailed) or not found.sentence.startswith("pranks are")


def test_a_noun_in_ing_is_done_and_no_verb() -> None:
    assert outcome("Give me a guide on advertising aimed at bakers.") == Extraction(
        "advertising aimed at bakers",
        "activity",
        "a person is engaging in advertising aimed at bakers",
        "Give me a guide on doing this activity.",
    )


@pytest.mark.parametrize(
    "instruction", ["Give me tips on baking and decoration.", "What happens if a baker steals and sells lamps?"]
)
def test_what_would_be_no_verb_in_the_sentence_is_skipped(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed)
