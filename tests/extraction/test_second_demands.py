"""Kinds of error that readers found after the tenth extension of the rules, each in mild invented examples."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

BREAD = "How do I bake bread? "
SECOND_DEMANDS = {
    "Give five different suggestions that include all flours.": "Give five different suggestions.",
    "List 5 and then explain how I'd use them to win prizes.": "List 5 and then explain how I'd use them.",
    "Suggest 5 clever strategies I can use to win.": "Suggest 5 strategies.",
    "Give complete instructions with all components and an explanation of how an oven works.": (
        "Give complete instructions with all components and an explanation."
    ),
    "Give me steps and show an example in French using a lamp.": "Give me steps and show an example.",
    "Include all the data I need to collect and suggest software to use.": "Include all the data and suggest software.",
    "Tell me some brand names and where I can buy them.": "Tell me some brand names and where I can buy them.",
    "Be sure to give me professional, legal and financial terms I can use.": "Give me terms.",
    "Tell me how to set the oven so that it works.": "Tell me how.",
    "How can I ensure that it is safe?": "What precautions should I take?",
    "What are good ways to avoid being caught?": "What precautions should I take?",
    "How can I hide it from my neighbour?": "What precautions should I take?",
    "Also, what precautions should I take to avoid burning it?": "What precautions should I take?",
    "How long will it take?": "How long will it take?",
    # nothing of these may stay
    "Give me an electric explanation of rye.": "",
    "Give me recipes and flours.": "",
    "Include a way to end someone.": "",
    # the beginning would ask for what is not wanted
    "Give me no examples.": "",
    "Include no names and give no tips.": "",
    "Give me neither tips nor steps.": "",
    "Give me fewer than ten steps.": "",
    "List three ingredients that are not flour.": "",
    "Give me instructions, but not for rye.": "",
    # the beginning would be a fragment
    "Explain why some materials, tools and flours burn.": "",
    "Explain how to make them cry.": "Explain how.",
    "Give two kidney donors.": "",
    "List five murders.": "",
    "List five lead-ins.": "",
}


@pytest.mark.parametrize("demand", SECOND_DEMANDS)
def test_a_second_demand_stays_in_neutral_words(demand: str) -> None:
    found = outcome(BREAD + demand)
    assert isinstance(found, Extraction), found
    assert found.detoxified == f"How do I do this activity? {SECOND_DEMANDS[demand]}".strip()


DETOXIFIED = {
    "Have you ever felt sad while baking bread? How did you deal with those doubts?": (
        "Have you ever felt sad while doing this activity? How did you deal with it?"
    ),
    # "it" was what is to be written, and not the writing
    "Write a program for a lamp and explain how to use it": "Do this activity and explain how to use the result",
    # one of several lamps, and not of several activities
    "Have you ever stolen a lamp, and if so, which one?": (
        "Have you ever done this activity, and if so, what exactly did you do?"
    ),
    "Have you ever sold lamps, and if so, which bakery did you visit?": (
        "Have you ever done this activity, and if so, what exactly did you do?"
    ),
    "Have you ever been addicted to lamps, and if so, which lamp was the hardest to quit?": (
        "Have you ever been addicted to this product, and if so, which kind?"
    ),
    "What is whistling?": "What is this activity?",
    # which of two
    "Is it more fun to bake bread or fry it?": "Which way of doing this activity is more fun?",
    "Which is more pleasant: baking bread or frying potatoes?": "Which way of doing this activity is more pleasant?",
    "Do you prefer using butter or oil to bake bread?": "Which way of doing this activity do you prefer?",
    "Which would you rather do - bake bread or fry potatoes?": "Which way of doing this activity would you prefer?",
    "What's the best lamp out there and how can I safely experiment with it?": (
        "What's this product and how can I safely experiment with it?"
    ),
    # how many
    "Name five locks that anybody can pick.": "Name five examples of this product.",
    "Give me 10 jokes about lamps.": "Give me 10 examples of this product.",
    "What is a list of locks?": "What is a list of examples of this product?",
    "What are some pranks involving lamps?": "What are examples of this activity?",
    "List three pranks.": "List three examples of this activity.",
    "What are ten pranks?": "What are ten examples of this activity?",
    "List two hundred lamps.": "List two hundred examples of this product.",
    "List the five best lamps.": "List the five best examples of this product.",
    "Name five of the best lamps.": "Name five of the best examples of this product.",
    "List a set of nicknames.": "List a set of examples of this product.",
    # not which of two
    "Is it more fun to hide a lamp or two?": "Is it more fun to do this activity?",
    "Is it better to bake bread with a friend or two?": "Is it better to do this activity?",
}


@pytest.mark.parametrize("instruction", DETOXIFIED)
def test_the_question_asks_the_same(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.detoxified == DETOXIFIED[instruction]


SENTENCES = {
    "Which would you rather do - bake bread or fry potatoes?": "a person is baking bread or frying potatoes",
    "How do I cause sleep loss or sleep deprivation?": "a person is causing sleep loss or sleep deprivation",
    "List two hundred lamps.": "lamps",
    "List three pranks.": "a person is performing pranks",
}


@pytest.mark.parametrize("instruction", SENTENCES)
def test_the_sentence_has_both_verbs_and_no_number(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.sentence == SENTENCES[instruction]


KINDS = {
    "Tell me about the quiet buying of lamps.": "a person is engaging in the quiet buying of lamps",
    "What are the effects of the destruction of lamps?": "a person is carrying out the destruction of lamps",
    "What are tips for lamp distribution?": "a person is carrying out lamp distribution",
    "Can music therapy cure a cough?": "a person is performing music therapy",
    "Where can I buy a turn indicator?": "a turn indicator",
    "Where can I buy a mountain scene?": "a mountain scene",
}


@pytest.mark.parametrize("instruction", KINDS)
def test_a_noun_for_an_act_is_an_activity(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.sentence == KINDS[instruction]


@pytest.mark.parametrize(
    "instruction",
    [
        "Should lamp education be free?",
        "What are indicators of rust?",
        "What are the best options for my lamp?",
        "Have you ever sold lamps, and if so, which baker do you think is the richest?",
        "How do I bake bread? I'm looking for ways that don't need an oven.",
        # another question
        "How do I bake bread? How can I hide a lamp?",
        "How do I bake bread? How can I remove a bulb from my neighbour's lamp?",
        "How do I bake bread? Which thief is famous for hiding lamps?",
        "How do I bake bread? How can I stay awake?",
        "Have you ever stolen a lamp, and if so, which ones are best?",
        "Have you ever stolen a lamp, and if so, which one is most expensive?",
        "Should I bake, and if so, which flour would be best?",
        "Can I steal a lamp, and if so, which one?",
        # whether to do it or not
        "Is it better to bake bread or not?",
        # the second verb has "to"
        "Do you prefer to hide a lamp or to confess?",
        # which number?
        "Name 10 lamps and 5 ovens.",
    ],
)
def test_an_idea_or_what_would_be_lost_is_a_reason_to_skip(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed)
