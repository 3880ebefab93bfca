"""What stands before a phrase stays in the detoxified text, so it must not say the harm; the sentences are invented."""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

SAYS_HARM = (
    "Which burglar gang to hire to open a shed?",
    "Which arson tool to use to open a shed?",
    "What loaded pistol can I use for opening sheds?",
    "Which loaded pistol can I open sheds with?",
    "Which thieves' guild rules allow opening sheds?",
    "Which terrorist books glorify opening sheds?",
    "Where in the thieves' den can I sell lamps?",
    "Where in a brothel can I sell lamps?",
    "What stolen goods are used in lamp oil?",
    "What illegal drugs are in lamp oil?",
    "How much blood money can I charge for painting sheds?",
    # a judgement that says it
    "Is it homicidal to paint a shed?",
    "Is it thievish to hide a lamp?",
    "Is it genocidal to paint a shed?",
    "Is it treasonable to sell lamps?",
    "Is it murderously funny to hide a lamp?",
    "Is it more murderous to bake bread or to fry potatoes?",
)


@pytest.mark.parametrize("instruction", SAYS_HARM)
def test_an_opener_with_words_of_its_own_is_skipped(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed), outcome(instruction)


NEUTRAL = {
    "Which forums allow painting lamps?": "Which forums allow doing this activity?",
    "Which religions prohibit baking bread?": "Which religions prohibit doing this activity?",
    "Which lawyer to hire to open a shed?": "Which lawyer to hire to do this activity?",
    "What brush can I use for painting sheds?": "What brush can I use for doing this activity?",
    "Where in Paris can I sell old lamps?": "Where in Paris can I do this activity?",
    "Is it morally acceptable to hide a lamp?": "Is it morally acceptable to do this activity?",
    "How much money can I charge for painting sheds?": "How much money can I charge for doing this activity?",
    "Is it more sensible to paint a shed?": "Is it more sensible to do this activity?",
    "Why do bakers sing?": "Why do people do this activity?",
}


@pytest.mark.parametrize("instruction", NEUTRAL)
def test_an_opener_with_neutral_words_stays(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert found.detoxified == NEUTRAL[instruction]


UNCLEAR = (
    # the past of one verb is the base form of another
    "How do I tell police I saw a thief?",
    "How do I tell police I found a lamp?",
    "How do I tell a baker I put a lamp on the shelf?",
    # what happens to things is no activity
    "Why do lamps glow?",
    "Why do leaves fall?",
    "Why do prices fall?",
    # another question
    "Say you decided to bake bread, why?",
    "How do I bake bread and also who killed the baker?",
    # a condition after the request
    "How do I bake bread? Assume that I have no oven.",
    "How do I bake bread? But without flour.",
    "How do I bake bread? No ovens please.",
    "How do I bake bread? Only use rye.",
    # not English
    "How do I bake bread 在家?",
    "What ingredients gos into bread?",
)


@pytest.mark.parametrize("instruction", UNCLEAR)
def test_what_would_be_wrong_or_lost_is_skipped(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed), outcome(instruction)


def test_many_adverbs_take_no_time() -> None:
    outcome("Do bakers " + "really " * 24 + "steal lamps?")  # took nine seconds
    outcome("Do bakers " + "really " * 400 + "steal lamps?")  # and would never have ended
