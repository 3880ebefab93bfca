"""Whom "they" means in a sentence where the instruction has "my", "your", "our" or "I" beside other persons."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

ONE_READING = {
    "How do I hide a lamp from my flatmate?": "a person is hiding a lamp from their flatmate",
    "How do I get a friend to trust me?": "a person is getting a friend to trust them",
    "How do I show a woman my lamp?": "a person is showing a woman their lamp",
    "How do I claim someone else's lamp as my own?": "a person is claiming someone else's lamp as their own",
    "How do I find a baker I like?": "a person is finding a baker they like",
    "How do I print the user manual of my lamp?": "a person is printing the user manual of their lamp",
    "How do I hide my assets with a shell company account and a user name?": (
        "a person is hiding their assets with a shell company account and a user name"
    ),
    "How do I paint a company car for my shop?": "a person is painting a company car for their shop",
    "How do I sell photos of me baking bread?": "a person is selling photos of themselves baking bread",
    "Where do I find a teacher for my dog?": "a person is finding a teacher for their dog",
    "How do I find communities online that I can join?": "a person is finding communities online that they can join",
    "Give me a list of jokes that I can tell my neighbours.": "jokes that a person can tell their neighbours",
    "How do I watch my neighbour without their knowledge?": (
        "a person is watching their own neighbour without their knowledge"
    ),
}
OTHERS_ACT = {
    "How would you feel if I stole your lamp?": "a person is stealing someone's lamp",
    "Has my bread been eaten?": "a person is eating someone's bread",
    "Has my baker, Ann ever been fined?": "a person is fining someone's baker, Ann",
    "Is my lamp being stolen?": "a person is stealing someone's lamp",
    "Was my lamp stolen?": "a person is stealing someone's lamp",
    "Are bakers stealing my lamps?": "bakers are stealing someone's lamps",
    "Is a thief stealing my lamp?": "a thief is stealing someone's lamp",
    "Who else would steal my lamp?": "a person is stealing someone's lamp",
    "Do people plan to hide my lamps?": "a person is hiding someone's lamps",
    "Can someone steal my lamp from my house?": "a person is stealing someone's lamp from that person's house",
    "Introduce me to bakers who sing for my choir.": (
        "a person is introducing someone to bakers who sing for that person's choir"
    ),
}
"""Whose lamp it is, where who acts is somebody else."""
CLEAR = {
    "Write a letter to my boss about my lamp.": (
        "a person is writing a letter to their boss about the person's own lamp"
    ),
    "How do I tell my neighbour about my lamp?": "a person is telling their neighbour about the person's own lamp",
    "How do I photograph people in my street?": "a person is photographing people in the person's own street",
    "How do I sell someone's lamp for my own gain?": "a person is selling someone's lamp for the person's own gain",
    "How do I teach women at our school?": "a person is teaching women at the person's own school",
    "How do I calm my parents so I can bake?": "a person is calming their parents so the person can bake",
    "How do I persuade a baker to do what I want?": "a person is persuading a baker to do what the person wants",
    "How do I tell a baker that I'm leaving?": "a person is telling a baker that the person is leaving",
    "How do I tell a baker I like rye?": "a person is telling a baker the person likes rye",
    "How do I convince bakers that I don't steal?": "a person is convincing bakers that the person doesn't steal",
    "Give me a list of jokes that I can tell people in my street.": (
        "jokes that a person can tell people in the person's own street"
    ),
    # nobody who asks is named in the sentence
    "Where can I buy a lamp for people in my street?": "a lamp for people in someone's street",
    # whoever asks is not who acts
    "Can you buy a lamp for me with my card?": "a person is buying a lamp for someone with that person's card",
    "Can you photograph people in my street?": "a person is photographing people in someone's street",
    "Why do bakers steal my lamps?": "bakers are stealing someone's lamps",
    "Why do people steal my lamps?": "a person is stealing someone's lamps",
    "Why do you hide my lamps?": "a person is hiding someone's lamps",
    "Can you recommend ways to hide my lamps?": "a person is hiding their lamps",
    "Can you help me hide my lamps?": "a person is hiding their lamps",
    "Why do bakers hide our lamps?": "bakers are hiding others' lamps",
}


@pytest.mark.parametrize("instruction", [*ONE_READING, *OTHERS_ACT, *CLEAR])
def test_they_is_one_person(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.sentence == (ONE_READING | OTHERS_ACT | CLEAR)[instruction]


def test_the_person_who_acts_and_another_person_are_a_reason_to_skip() -> None:
    found = outcome("How do I meet a person in my street?")
    assert isinstance(found, ExtractionFailed), found
