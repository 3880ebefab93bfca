"""Questions and statements that name an activity or a product beside other words: what the offline rules take of them.

Each is a kind of sentence that people write in safety sets, in mild words.
"""

from __future__ import annotations

import pytest

from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.registry import get_extractor


def outcome(instruction: str) -> Extraction | ExtractionFailed:
    ((_, found),) = get_extractor("rules").extract([instruction])
    return found


PREPARED = {
    # what is done to something
    "How can lamps be stolen?": ("a person is stealing lamps", "How can this activity be done?"),
    "Can lamps be used to cure headaches?": ("a person is using lamps to cure headaches", "Can this activity be done?"),
    "Do you think all lamps should be banned, and why?": (
        "a person is banning all lamps",
        "Do you think this activity should be done?",
    ),
    # what others do, in a clause
    "How come bakers always steal lamps?": ("a person is stealing lamps", "How come people always do this activity?"),
    "Should bakers be allowed to vote?": ("a person is voting", "Should people be allowed to do this activity?"),
    "What drives people to steal lamps?": ("a person is stealing lamps", "What drives people to do this activity?"),
    "Why are bakers denied loans?": ("loans", "Why are people denied this product?"),
    "Why do bakers flaunt their lamps in public? They are loud.": (
        "a person is flaunting their lamps in public",
        "Why do people do this activity?",
    ),
    # conditions
    "If I steal a lamp, will I go to prison?": (
        "a person is stealing a lamp",
        "If I do this activity, will I go to prison?",
    ),
    "What would happen if I stole a lamp?": (
        "a person is stealing a lamp",
        "What would happen if I did this activity?",
    ),
    # topics and judgements
    "What do you think about stealing lamps?": (
        "a person is stealing lamps",
        "What do you think about doing this activity?",
    ),
    "What's your opinion on lamp theft?": ("lamp theft", "What's your opinion on this product?"),
    "Is stealing lamps really that bad, or are people only jealous?": (
        "a person is stealing lamps",
        "Is doing this activity really that bad?",
    ),
    "Are lamps dangerous?": ("lamps", "Is this product dangerous?"),
    "Can lamp oil cure headaches?": ("lamp oil", "Can this product cure headaches?"),
    "What is the youngest age at which I can start stealing lamps?": (
        "a person is stealing lamps",
        "What is the youngest age at which I can start doing this activity?",
    ),
    # what is asked for has a part in the activity
    "What kind of tool can I open a shed with?": (
        "a person is opening a shed",
        "What kind of tool can I do this activity with?",
    ),
    # a second question, a purpose, and what the answer is to have
    "How do I steal a lamp, and are there any benefits to lamps?": (
        "a person is stealing a lamp",
        "How do I do this activity?",
    ),
    "What's your phone number so I can call you?": ("their phone number", "What's this product?"),
    "List the steps to steal a lamp, with detailed examples": (
        "a person is stealing a lamp",
        "List the steps to do this activity",
    ),
    "Can I steal a lamp if I don't hate them?": ("a person is stealing a lamp", "Can I do this activity?"),
    # statements
    "We should steal lamps from the rich.": ("a person is stealing lamps from the rich", "We should do this activity."),
    "I need a lamp that burns well.": ("a lamp that burns well", "I need this product."),
    "The most dangerous lamps to use in sheds?": ("The most dangerous lamps to use in sheds", "This product?"),
    # a sentence before the request
    "I run a bar and I want to post ten fake reviews for the bakery across the street. Tell me how to post them.": (
        "a person is posting ten fake reviews for the bakery across the street",
        "I want to do this activity.",
    ),
    "Lamps are cheap in many towns. Is it possible to steal lamps?": (
        "a person is stealing lamps",
        "Is it possible to do this activity?",
    ),
    # judgements of any kind
    "Is lamp theft common in Paris?": ("lamp theft", "Is this product common in Paris?"),
    "Do you think lamp oil is the most useful liquid in the world, and why?": (
        "lamp oil",
        "Do you think this product is the most useful liquid in the world?",
    ),
    "Do you think old lamps are safer than new lamps?": ("old lamps", "Do you think this product is safer?"),
    "Should lamp oil be completely free for everyone?": (
        "lamp oil",
        "Should this product be completely free for everyone?",
    ),
    "Lamp theft should be legal.": ("Lamp theft", "This product should be legal."),
    # demands, reasons and rights
    "Bakers should not be allowed to sell lamps.": (
        "a person is selling lamps",
        "People should not be allowed to do this activity.",
    ),
    "Give me a list of reasons why bakers shouldn't be allowed to sell lamps.": (
        "a person is selling lamps",
        "Give me a list of reasons why people shouldn't be allowed to do this activity.",
    ),
    "Why is it good that bakers are not allowed to sell lamps?": (
        "a person is selling lamps",
        "Why is it good that people are not allowed to do this activity?",
    ),
    "Why do bakers not deserve equal rights?": ("equal rights", "Why do people not deserve this product?"),
    "Should we have stricter lamp laws?": ("stricter lamp laws", "Should we have this product?"),
    "Is it better to hire bakers than farmers?": ("a person is hiring bakers", "Is it better to do this activity?"),
    "Why do cats always hide?": ("a person is hiding", "Why do people always do this activity?"),
    "Was the lamp vote stolen?": ("a person is stealing the lamp vote", "Was this activity done?"),
    # questions to somebody
    "Do you ever steal lamps?": ("a person is stealing lamps", "Do you ever do this activity?"),
    "Have you ever been caught stealing lamps?": (
        "a person is stealing lamps",
        "Have you ever been caught doing this activity?",
    ),
    "Should I feel bad for stealing lamps?": (
        "a person is stealing lamps",
        "Should I feel bad for doing this activity?",
    ),
    "Who taught you to steal lamps?": ("a person is stealing lamps", "Who taught you to do this activity?"),
    "Would I go to jail for stealing a lamp?": (
        "a person is stealing a lamp",
        "Would I go to jail for doing this activity?",
    ),
    "Can I have your home address?": ("their home address", "Can I have this product?"),
    "What are your favorite lamp jokes?": ("their favorite lamp jokes", "What is this product?"),
    # events, definitions and possessions
    "What is murder?": ("murder", "What is this product?"),
    "What impact did the lamp war have on Paris?": ("the lamp war", "What impact did this product have on Paris?"),
    "When is Jane Doe's birthday?": ("Jane Doe's birthday", "When is this product?"),
    "What is global warming?": ("global warming", "What is this product?"),
    # what somebody wants or does, and a question about something else
    "I'm writing a book about lamps, can you tell me how to steal a street lamp from a park?": (
        "a person is stealing a street lamp from a park",
        "can you tell me how to do this activity?",
    ),
    "I want to buy an old lamp. How can I write a fake receipt that a lamp shop will accept?": (
        "a person is writing a fake receipt that a lamp shop will accept",
        "How can I do this activity?",
    ),
    "How do I steal a street lamp? Which tools are used for stealing street lamps?": (
        "a person is stealing a street lamp",
        "How do I do this activity?",
    ),
    "What should I wear if I want to sneak into a lamp shop?": (
        "a person is sneaking into a lamp shop",
        "What should I wear if I want to do this activity?",
    ),
    "Which route is the most popular for lamp smuggling?": (
        "lamp smuggling",
        "Which route is the most popular for this product?",
    ),
    # words
    "Have you ever stolen or hidden lamps?": (
        "a person is stealing or hiding lamps",
        "Have you ever done this activity?",
    ),
    "How do I get around rules to get what I want?": (
        "a person is getting around rules to get what they want",
        "How do I do this activity?",
    ),
    "Where can I buy something to open a shed with?": (
        "something to open a shed with",
        "Where can I buy this product?",
    ),
}


@pytest.mark.parametrize("instruction", PREPARED)
def test_prepared(instruction: str) -> None:
    found = outcome(instruction)
    assert isinstance(found, Extraction), found
    assert (found.sentence, found.detoxified) == PREPARED[instruction]


SKIPPED = (
    "Are bakers stupid?",  # persons are no product
    "What do you think about bakers who steal?",
    "Is it true that lamps cause headaches?",  # of whom it is said cannot be left out
    "How do you feel about companies selling lamps?",
    "Which lamps should I buy for my shed?",  # the verb's object is what is asked for
    "What crimes can people get away with?",
    "What is the best thing to do in a shed?",
    "If I hit a lamp and drove off, what happens?",
    "Provide the brand name and its maker's details.",
    "Lamps are great.",
    "Are lamp thieves smart?",
    "Is it true that lamp oil was used to poison farmers?",  # the activity is in what is said of the thing
    "Is lamp oil useful for burning sheds?",
    "Why is Jane Doe so rich?",
    "why is janet doe a bad baker?",
    "Why are lamp fans so stupid?",
    "Bakers shouldn't be allowed, either you bake or not.",
    "I want to buy an old lamp. How do I write letters?",
)


@pytest.mark.parametrize("instruction", SKIPPED)
def test_skipped(instruction: str) -> None:
    assert isinstance(outcome(instruction), ExtractionFailed)
