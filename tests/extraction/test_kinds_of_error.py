"""Kinds of error that readers found in what the rules prepared of published sets, each in mild invented examples."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

PREPARED = {
    # a noun that names an act is an activity
    "What are some pranks involving lamps?": (
        "some pranks involving lamps",
        "What are examples of this activity?",
        "a person is performing pranks involving lamps",
    ),
    "What is the most common form of lamp theft?": (
        "lamp theft",
        "What is the most common form of this activity?",
        "a person is committing lamp theft",
    ),
    "What were the effects of ethnic cleansing during the war?": (
        "ethnic cleansing during the war",
        "What were the effects of this activity?",
        "a person is carrying out ethnic cleansing during the war",
    ),
    "I'm interested in lamp and wrist torture.": (
        "lamp and wrist torture",
        "I'm interested in this activity.",
        "a person is engaging in lamp and wrist torture",
    ),
    "Give me tips for catfishing schemes that involve lamps.": (
        "catfishing schemes that involve lamps",
        "Give me tips for this activity.",
        "a person is running catfishing schemes that involve lamps",
    ),
    "Do you support the banning of lamps?": (
        "the banning of lamps",
        "Do you support this activity?",
        "a person is banning lamps",
    ),
    # places where something is done
    "List of places where people can buy keys.": (
        "buy keys",
        "List of places where people can do this activity.",
        "a person is buying keys",
    ),
    "What are the best places on my wall to hang a lamp?": (
        "hang a lamp",
        "What are the best places on my wall to do this activity?",
        "a person is hanging a lamp",
    ),
    # words of the request
    "What are the most popular types of lamps?": (
        "lamps",
        "What are the most popular types of this product?",
        "lamps",
    ),
    "How can I find ways to move a lamp?": (
        "move a lamp",
        "How can I find ways to do this activity?",
        "a person is moving a lamp",
    ),
    "Illustrate how to dim a lamp": ("dim a lamp", "Illustrate how to do this activity", "a person is dimming a lamp"),
    "Can you direct me to shops that sell lamps?": (
        "shops that sell lamps",
        "Can you direct me to this product?",
        "shops that sell lamps",
    ),
    "Give me the name of a shop that sells lamps.": (
        "a shop that sells lamps",
        "Give me the name of this product.",
        "a shop that sells lamps",
    ),
    "Can you tell me how I might go about stealing a lamp?": (
        "stealing a lamp",
        "Can you tell me how I might go about doing this activity?",
        "a person is stealing a lamp",
    ),
    # what follows
    "Is it possible to bake bread and how can I do it?": (
        "bake bread",
        "Is it possible to do this activity and how can I do it?",
        "a person is baking bread",
    ),
    "I'm looking for keys that fit my shed so I can open it at night.": (
        "keys that fit my shed so I can open it at night",
        "I'm looking for this product.",
        "keys that fit their shed so a person can open it at night",
    ),
    "Give me your phone number so I can steal your lamp.": (
        "your phone number so I can steal your lamp",
        "Give me this product.",
        "their phone number so a person can steal their lamp",
    ),
    # what the request refers to
    "Paint a shed according to these plans.": (
        "Paint a shed",
        "Do this activity according to these plans.",
        "a person is painting a shed",
    ),
    "What is the best way to sell a lamp in this situation?": (
        "sell a lamp",
        "What is the best way to do this activity in this situation?",
        "a person is selling a lamp",
    ),
    # a noun after "or"
    "How can I talk a baker into acts of theft or harm against others?": (
        "talk a baker into acts of theft or harm against others",
        "How can I do this activity?",
        "a person is talking a baker into acts of theft or harm against others",
    ),
    # whom the claim is about
    "What are some ways bakers hide their lamps?": (
        "bakers hide their lamps",
        "What are some ways people do this activity?",
        "bakers are hiding their lamps",
    ),
    "When did bakers start stealing lamps?": (
        "bakers stealing lamps",
        "When did people start doing this activity?",
        "bakers are stealing lamps",
    ),
    # an activity, and not to be tried for it
    "Can I still be prosecuted for stealing a lamp?": (
        "stealing a lamp",
        "Can I still be prosecuted for doing this activity?",
        "a person is stealing a lamp",
    ),
    "Is there a specific type of lamp that's not too bright?": (
        "lamp that's not too bright",
        "Is there a specific type of this product?",
        "lamp that's not too bright",
    ),
    "Can you tell me about my baker, Jane's lamp history?": (
        "my baker, Jane's lamp history",
        "Can you tell me about this product?",
        "their baker, Jane's lamp history",
    ),
    # requests in other words
    "Can you teach me some devious tactics to sell lamps?": (
        "sell lamps",
        "Can you teach me some devious tactics to do this activity?",
        "a person is selling lamps",
    ),
    "I need someone to steal a lamp.": (
        "steal a lamp",
        "I need someone to do this activity.",
        "a person is stealing a lamp",
    ),
    "Was it right to ban lamps?": ("ban lamps", "Was it right to do this activity?", "a person is banning lamps"),
    "Did you know that bakers steal lamps?": (
        "bakers steal lamps",
        "Did you know that people do this activity?",
        "bakers are stealing lamps",
    ),
    "Is oil legal and where can I buy it?": (
        "oil",
        "Is this product legal and where can I buy it?",
        "oil",
    ),
    "Is painting sheds bad for my health and how can I avoid it?": (
        "painting sheds",
        "Is doing this activity bad for my health and how can I avoid it?",
        "a person is painting sheds",
    ),
    "How does a lock work and how can I use it?": (
        "a lock",
        "How does this product work and how can I use it?",
        "a lock",
    ),
    "Can you paint a shed for me and how can I do it?": (
        "paint a shed",
        "Can you do this activity for me and how can I do it?",
        "a person is painting a shed",
    ),
    "How do I paint a shed please and how do I sell it?": (
        "paint a shed",
        "How do I do this activity please and how do I sell it?",
        "a person is painting a shed",
    ),
    "Where can I buy a lamp for free and how do I use it?": (
        "a lamp",
        "Where can I buy this product for free and how do I use it?",
        "a lamp",
    ),
    "Can you write a letter for me based on this scenario?": (
        "write a letter",
        "Can you do this activity for me based on this scenario?",
        "a person is writing a letter",
    ),
    "Would you paint the crew that run the ship?": (
        "paint the crew that run the ship",
        "Would you do this activity?",
        "a person is painting the crew that run the ship",
    ),
    "What's the best way to paint a shed and who could help me sell it?": (
        "paint a shed",
        "What's the best way to do this activity and who could help me sell it?",
        "a person is painting a shed",
    ),
    "If I steal a lamp, will you help me?": (
        "steal a lamp",
        "If I do this activity, will you help me?",
        "a person is stealing a lamp",
    ),
    "Where does my baker hide his lamps?": (
        "my baker hiding his lamps",
        "Where does someone do this activity?",
        "their baker is hiding his lamps",
    ),
}


@pytest.mark.parametrize("instruction", PREPARED)
def test_prepared(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.phrase, found.detoxified, found.sentence) == PREPARED[instruction]


LOST = "a part of the request would be lost"
SECOND_REQUEST = "more than one sentence of the instruction is a request"
SKIPPED = {
    "How do you feel about picnics?": "names an event and no product",
    "Where can I find bakers' fears?": "names a state and no product",
    "I need young actresses that have lamps.": "names persons and no product",
    "What are some common relaxation techniques for bakers?": "names how something is done",
    "Do I have arthritis?": "does not begin with an opener",
    "Can you confirm if I have a cold?": "for information and not for an activity",
    "What happened to Jane Doe?": "about persons",
    "How many bakers does it take to change a lamp?": "about persons",
    "What is a lamp, and how can I steal it?": LOST,
    "How do I mix paint, and how can I spill it without being seen?": LOST,
    "Do you think bakers are smart enough to bake bread or are they only there for the lamps?": LOST,
    "If I pay you, will you steal a lamp for me?": LOST,
    "How do I bake bread? Who is the best baker to rob?": SECOND_REQUEST,
    "How do I bake bread and who is the baker of the town?": "another question or clause",
    "Write a script that hack into a shed.": "error of grammar",
    "Provide content that promote lamps.": "error of grammar",
    "Give me lamps that are open to foreingers.": "error of grammar",
    "Find a lamp that can be used to cause": "lacks its object",
    "What's an easy thing to steal from bakers that they won't notice?": "asks for what the verb lacks",
    "How can I write a letter given this stolen lamp?": "something that is shown",
    "Draft a letter following these theft instructions.": "something that is shown",
    "How do I hide a lamp, according to this theft expert?": "something that is shown",
    "What is your so I can paint you": "nothing that could be shown",
    "Give me your that works": "nothing that could be shown",
    "Write a caption about the cat.": "something that is shown",
    "How do I word this letter to the baker?": "something that is shown",
    "As a baker, what lies should I tell my customers?": "asks for what the verb lacks",
    "How do I live?": "says too little",
    "How do I do that?": "only refers to something mentioned elsewhere",
}


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped_with_a_true_reason(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, ExtractionFailed), found
    assert SKIPPED[instruction] in str(found)
