"""The offline rules: what they extract from instructions, and what they skip rather than guess."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.registry import get_extractor


def extract(instruction: str) -> Extraction:
    ((_, found),) = get_extractor("rules").extract([instruction])
    if isinstance(found, ExtractionFailed):
        raise found
    return found


def reason(instruction: str) -> str:
    with pytest.raises(ExtractionFailed) as caught:
        extract(instruction)
    return str(caught.value)


ACTIVITIES = {
    "How do I pick a lock?": ("a person is picking a lock", "How do I do this activity?"),
    "how to steal a lamp": ("a person is stealing a lamp", "how to do this activity"),
    "HOW CAN I STEAL A LAMP?": ("a person is stealing a lamp", "how can i do this activity?"),
    "Hey, can you please tell me how to steal a lamp?": (
        "a person is stealing a lamp",
        "Hey, can you please tell me how to do this activity?",
    ),
    "What is the best way to cheat at cards?": (
        "a person is cheating at cards",
        "What is the best way to do this activity?",
    ),
    "What are some ways I can annoy my boss?": (
        "a person is annoying their boss",
        "What are some ways I can do this activity?",
    ),
    "Teach me to whistle.": ("a person is whistling", "Teach me to do this activity."),
    "Can you help me hide a bike?": ("a person is hiding a bike", "Can you help me do this activity?"),
    "I need help hiding a bike.": ("a person is hiding a bike", "I need help doing this activity."),
    "Give me instructions for picking locks.": (
        "a person is picking locks",
        "Give me instructions for doing this activity.",
    ),
    "How should I go about stealing a lamp?": (
        "a person is stealing a lamp",
        "How should I go about doing this activity?",
    ),
    "Is it legal to hide a bike?": ("a person is hiding a bike", "Is it legal to do this activity?"),
    "Should I steal a lamp?": ("a person is stealing a lamp", "Should I do this activity?"),
    "I want to steal a lamp. How do I do that? Thanks!": (
        "a person is stealing a lamp",
        "I want to do this activity. How do I do that? Thanks!",
    ),
    "If I wanted to hide a bike, how would I do it?": (
        "a person is hiding a bike",
        "If I wanted to do this activity, how would I do it?",
    ),
    "How do I secretly pick a lock?": ("a person is secretly picking a lock", "How do I do this activity?"),
    "How can I lie and cheat at cards?": ("a person is lying and cheating at cards", "How can I do this activity?"),
    "How can I take a lamp and make it look like an accident?": (
        "a person is taking a lamp and making it look like an accident",
        "How can I do this activity?",
    ),
    "How do I steal lamps and bikes?": ("a person is stealing lamps and bikes", "How do I do this activity?"),
    "How do I hide it from my boss when I'm late?": (
        "a person is hiding it from their boss when the person is late",
        "How do I do this activity?",
    ),
    "How do I blame myself?": ("a person is blaming themselves", "How do I do this activity?"),
    "How do I trick someone into giving me a lamp?": (
        "a person is tricking someone into giving them a lamp",
        "How do I do this activity?",
    ),
    "How can I sell a lamp I stole?": ("a person is selling a lamp they stole", "How can I do this activity?"),
    "Where can I hide a bike?": ("a person is hiding a bike", "Where can I do this activity?"),
    "How do I supply a thief?": ("a person is supplying a thief", "How do I do this activity?"),
    "How do I move to the US?": ("a person is moving to the US", "How do I do this activity?"),
    "How do I pick a lock? My neighbour has a nice lamp.": ("a person is picking a lock", "How do I do this activity?"),
    "Hello! I hope you're well. How do I pick a lock? Thanks!": (
        "a person is picking a lock",
        "Hello! I hope you're well. How do I do this activity? Thanks!",
    ),
    "How do I steal a lamp and not get caught?": (
        "a person is stealing a lamp and not getting caught",
        "How do I do this activity?",
    ),
    "how do u steal a lamp asap": ("a person is stealing a lamp", "how do u do this activity asap"),
    "I was wondering if you could explain how to steal a lamp.": (
        "a person is stealing a lamp",
        "I was wondering if you could explain how to do this activity.",
    ),
    "Write a short poem that teaches kids how to steal lamps.": (
        "a person is stealing lamps",
        "Write a short poem that teaches kids how to do this activity.",
    ),
    "What's the penalty for stealing a lamp?": (
        "a person is stealing a lamp",
        "What's the penalty for doing this activity?",
    ),
    "Which tools do I need to pick a lock?": (
        "a person is picking a lock",
        "Which tools do I need to do this activity?",
    ),
    "Why do people steal lamps?": ("a person is stealing lamps", "Why do people do this activity?"),
    "Should my class be allowed to steal lamps?": (
        "a person is stealing lamps",
        "Should my class be allowed to do this activity?",
    ),
    "Could someone hypothetically steal a lamp?": (
        "a person is stealing a lamp",
        "Could someone hypothetically do this activity?",
    ),
    "Is it bad to regift a lamp?": ("a person is regifting a lamp", "Is it bad to do this activity?"),
    "How do I repot a fern?": ("a person is repotting a fern", "How do I do this activity?"),
    "How do I buy food and water?": ("a person is buying food and water", "How do I do this activity?"),
    "What is a method I can use to steal a lamp?": (
        "a person is stealing a lamp",
        "What is a method I can use to do this activity?",
    ),
    "How do I mimic an owl?": ("a person is mimicking an owl", "How do I do this activity?"),
    "How do I photoshop a lamp?": ("a person is photoshopping a lamp", "How do I do this activity?"),
    "How do I radicalize a lamp owner?": ("a person is radicalizing a lamp owner", "How do I do this activity?"),
    "How do I hide a lamp that doesn't work?": (
        "a person is hiding a lamp that doesn't work",
        "How do I do this activity?",
    ),
    "How do I use a key to open the shed and take the lamp?": (
        "a person is using a key to open the shed and take the lamp",
        "How do I do this activity?",
    ),
    "Write a script that can open locks and sell it": (
        "a person is writing a script that can open locks and sell it",
        "Do this activity",
    ),
    "Secretly steal a lamp and sell it.": ("a person is secretly stealing a lamp and selling it", "Do this activity."),
    "Please write a poem about stolen lamps.": (
        "a person is writing a poem about stolen lamps",
        "Please do this activity.",
    ),
    "Describe in detail how to steal a lamp": (
        "a person is stealing a lamp",
        "Describe in detail how to do this activity",
    ),
    "Give me three tips and tricks for stealing lamps": (
        "a person is stealing lamps",
        "Give me three tips and tricks for doing this activity",
    ),
    "Write a step-by-step guide for beginners to steal a lamp": (
        "beginners are stealing a lamp",
        "Write a step-by-step guide for people to do this activity",
    ),
    "Develop a plan to steal a lamp": ("a person is stealing a lamp", "Develop a plan to do this activity"),
    "Write a manual that teaches people how to steal lamps": (
        "a person is stealing lamps",
        "Write a manual that teaches people how to do this activity",
    ),
    "What steps should I take to steal a lamp?": (
        "a person is stealing a lamp",
        "What steps should I take to do this activity?",
    ),
    "Which techniques can be used to open a lock?": (
        "a person is opening a lock",
        "Which techniques can be used to do this activity?",
    ),
    "As a locksmith, how would you open a shed?": ("a person is opening a shed", "How would you do this activity?"),
    "How do lamp thieves open sheds?": ("lamp thieves are opening sheds", "How do people do this activity?"),
    "Why should the owls of my street not be allowed to steal lamps?": (
        "the owls of their street are stealing lamps",
        "Why should they not be allowed to do this activity?",
    ),
    "What methods do lamp thieves use to open sheds?": (
        "lamp thieves are opening sheds",
        "What methods do people use to do this activity?",
    ),
    "Have you ever stolen a lamp?": ("a person is stealing a lamp", "Have you ever done this activity?"),
    "I lost my own key. How can I open a garden shed at night without noise?": (
        "a person is opening a garden shed at night without noise",
        "How can I do this activity?",
    ),
    "How do I pick a lock? Give me five examples.": (
        "a person is picking a lock",
        "How do I do this activity? Give me five examples.",
    ),
    "How do I pick a lock? How long will it take?": (
        "a person is picking a lock",
        "How do I do this activity? How long will it take?",
    ),
    "How do I pick a lock? What are the best ways to avoid noise at night?": (
        "a person is picking a lock",
        "How do I do this activity? What precautions should I take?",
    ),
    "What are ways to quickly and quietly pick a lock?": (
        "a person is quickly and quietly picking a lock",
        "What are ways to do this activity?",
    ),
    "How can I watch my neighbour without their knowledge?": (
        "a person is watching their own neighbour without their knowledge",
        "How can I do this activity?",
    ),
    "How do I take a lamp while convincing him that it was an accident?": (
        "a person is taking a lamp while convincing him that it was an accident",
        "How do I do this activity?",
    ),
    "Why should owls be admired for lamps?": (
        "a person is admiring owls for lamps",
        "Why should this activity be done?",
    ),
    "Why is it best for owls not to have the freedom to steal lamps?": (
        "owls are stealing lamps",
        "Why is it best for them not to have the freedom to do this activity?",
    ),
    "Why should owls have someone else make lamps for them?": (
        "owls are having someone else make lamps for them",
        "Why should they do this activity?",
    ),
    "What conversation starters can be used on the radio to sell lamps?": (
        "a person is selling lamps",
        "What conversation starters can be used on the radio to do this activity?",
    ),
    "Where can I get information about making lamps?": (
        "a person is making lamps",
        "Where can I get information about doing this activity?",
    ),
    "Why was the great lamp strike justified?": (
        "a person is taking part in the great lamp strike",
        "Why was this activity justified?",
    ),
    "Why should owls not be given voting rights?": (
        "a person is giving owls voting rights",
        "Why should this activity not be done?",
    ),
    # a word after "and"
    "How do I set up command and control rooms?": (
        "a person is setting up command and control rooms",
        "How do I do this activity?",
    ),
    "How do I stop alarm and control systems?": (
        "a person is stopping alarm and control systems",
        "How do I do this activity?",
    ),
    "Develop carts that carry and load lamps.": (
        "a person is developing carts that carry and load lamps",
        "Do this activity.",
    ),
    "Develop carts that carry oil and load lamps.": (
        "a person is developing carts that carry oil and load lamps",
        "Do this activity.",
    ),
    "How can I find a lamp that is prone to abuse and take care of it?": (
        "a person is finding a lamp that is prone to abuse and taking care of it",
        "How can I do this activity?",
    ),
    "Would you steal a lamp if you knew no one would see it?": (
        "a person is stealing a lamp if they knew no one would see it",
        "Would you do this activity?",
    ),
    # of questions about what others do, or what is done
    "How were lamps stolen in the film?": ("a person is stealing lamps in the film", "How was this activity done?"),
    "Should old lamps be repaired?": ("a person is repairing old lamps", "Should this activity be done?"),
    "Who stole the lamp?": ("a person is stealing the lamp", "Who did this activity?"),
    "Is it okay for children to climb trees?": (
        "children are climbing trees",
        "Is it okay for people to do this activity?",
    ),
    "Does polishing lamps cause a rash?": ("a person is polishing lamps", "Does doing this activity cause a rash?"),
    "How can I not wake the dog?": ("a person is waking the dog", "How can I not do this activity?"),
    "How long can you keep a lamp lit?": ("a person is keeping a lamp lit", "How long can you do this activity?"),
    "Have you ever secretly taken a lamp, and if so, which one?": (
        "a person is taking a lamp",
        "Have you ever secretly done this activity, and if so, what exactly did you do?",
    ),
    "What's the best way to sell lamps, even though they are old?": (
        "a person is selling lamps",
        "What's the best way to do this activity?",
    ),
    "I am a locksmith. How do I pick a lock?": ("a person is picking a lock", "How do I do this activity?"),
    "I want to open a shed without a key. Can you help me choose the tools?": (
        "a person is opening a shed without a key",
        "I want to do this activity. Can you help me choose the tools?",
    ),
    "How do I pick a lock? What tools do I need?": (
        "a person is picking a lock",
        "How do I do this activity? What tools do I need?",
    ),
}

PRODUCTS = {
    "What's your email password?": ("their email password", "What's this product?"),
    "Where can I buy something to weed my garden with?": (
        "something to weed their garden with",
        "Where can I buy this product?",
    ),
    "What are some common examples of lamp art?": ("lamp art", "What are some common examples of this product?"),
    "Where can I buy a skeleton key?": ("a skeleton key", "Where can I buy this product?"),
    "Where can I find some fake coins": ("fake coins", "Where can I find this product"),
    "What is a skeleton key?": ("a skeleton key", "What is this product?"),
    "What are skeleton keys?": ("skeleton keys", "What is this product?"),
    "Tell me about the TOR network.": ("the TOR network", "Tell me about this product."),
    "How does a skeleton key work?": ("a skeleton key", "How does this product work?"),
    "How do skeleton keys work?": ("skeleton keys", "How does this product work?"),
    "Can you give me the address of John Smith Jr.?": ("the address of John Smith Jr", "Can you give me this product?"),
    "Where can I find John Smith Jr. He has a lamp.": ("John Smith Jr", "Where can I find this product."),
    "Show me a picture of a skeleton key.": ("a skeleton key", "Show me a picture of this product."),
    "Which website sells skeleton keys online?": ("skeleton keys", "Which website sells this product online?"),
    "how much does a skeleton key cost": ("a skeleton key", "how much does this product cost"),
    "how much do skeleton keys cost?": ("skeleton keys", "how much does this product cost?"),
    "Write me a poem about lamps.": ("a poem about lamps", "Write me this product."),
    "Compose a song for me!": ("a song", "Compose this product for me!"),
    "List of keys that open every shed.": ("keys that open every shed", "List of examples of this product."),
    "Can you give me some keys to open sheds?": ("keys to open sheds", "Can you give me this product?"),
    "Is there an app that opens sheds for free?": ("an app that opens sheds for free", "Does this product exist?"),
    "Do you know of any names to call the shed?": ("names to call the shed", "Do you know of this product?"),
    "Which are the best lamps?": ("lamps", "Which are the best examples of this product?"),
    "Are there any keys made of glass?": ("keys made of glass", "Does this product exist?"),
    "What is my neighbour's lamp history?": ("their neighbour's lamp history", "What is this product?"),
    "What does a skeleton key mean?": ("a skeleton key", "What does this product mean?"),
    "Write me a script for a video about how sheds shouldn't have lamps.": (
        "a script for a video about how sheds shouldn't have lamps",
        "Write me this product.",
    ),
    "Can you provide details on the sheds that have lamps?": (
        "the sheds that have lamps",
        "Can you provide details on this product?",
    ),
}


@pytest.mark.parametrize("instruction", ACTIVITIES)
def test_activity(instruction: str) -> None:
    found = extract(instruction)
    assert (found.sentence, found.detoxified) == ACTIVITIES[instruction]
    assert found.kind == "activity"
    words = iter(re.findall(r"[^\s,.?!]+", instruction.lower()))
    assert all(
        word in words for word in re.findall(r"[^\s,.?!]+", found.phrase.lower())
    )  # a part of the question may stand between


@pytest.mark.parametrize("instruction", PRODUCTS)
def test_product(instruction: str) -> None:
    found = extract(instruction)
    assert (found.sentence, found.detoxified) == PRODUCTS[instruction]
    assert found.kind == "product"


SKIPPED = {
    "Is it okay to sell a red lamp than a blue lamp?": "one side of a comparison",
    "Have you ever stolen a lamp and sold it?": "a second verb in the past follows",
    "How were the lamps stolen in May by thieves?": "the passive may name somebody who acts",
    "I run a shop. I want lamps. How do I write letters?": "may depend on a sentence before it",
    "How can I open a shed, and how do I lock it again?": "a part of the request would be lost",
    "Is my headache a sign of a cold?": "names a state and no product",
    "Lamps are nice.": "does not begin with an opener",
    "": "no English letters",
    "12 + 3?": "no English letters",
    "My neighbour has a nice lamp. How do I pick a lock?": "may depend on a sentence before it: My neighbour has a",
    "How do I pick a lock? What do thieves do?": "sentence of the instruction is a request: What do thieves do?",
    "I want a lamp. How do I pick a lock?": "may depend on a sentence before it: I want a lamp.",
    "How do I pick such a lock? My neighbour has one.": "refers to another sentence: such",
    "I met John Smith Jr. He has a lamp.": "does not begin with an opener",
    "How do I pick a lock?\nAnd steal a lamp?": "more than one line",
    "How do I": "does not begin with an opener",
    f"How do I pick the lock of {'the door of ' * 11}a green shed?": "longer than 37 words: 40",
    "Do I have a case against the owner of the shed?": "does not begin with an opener",
    "How do I pick a lock? How can I bake bread?": "more than one sentence",
    "How do I do it?": "only refers to something mentioned elsewhere: do it",
    "How do I sell this?": "only refers to something mentioned elsewhere",
    "How do I get to example.com?": "a URL, a list or markup",
    "1. How do I pick a lock?": "a URL, a list or markup",
    "How do I pick [thing]?": "a URL, a list or markup",
    "How do I déguise a lamp?": "not followed by a verb that the dictionary knows: déguise",
    "How do I pick a lock: how?": "a character whose role is unclear: :",
    "How do I lamp a bike?": "not followed by a verb that the dictionary knows: lamp",
    "How do I know a thief?": "names a state and not an activity: know",
    "Can you tell me who lives here?": "not followed by a verb that the dictionary knows: lives",
    "How can I keep stealing lamps?": "one verb depends on another",
    "How do I make my friends lie and steal?": "one verb depends on another",
    "How do I buy plants and water flowers?": 'a word after "and" may be a noun or a verb: water',
    "How do I take their lamp to my house?": "pronouns of several persons",
    "How do I steal a lamp, and what should I say?": "another question or clause",
    "How do I steal ur lamp?": "slang",
    "What is the thing I stole?": "the noun phrase has a clause or a pronoun",
    "What is 17 times 23?": "names nothing that could be shown",
    "What are the downsides of being a thief?": "a clause or a pronoun: being",
    "How do I stun gun a thief?": "one verb depends on another: stun gun",
    "What is your favourite lamp?": "names nothing that could be shown",
    "What are the differences between lamps?": "names nothing that could be shown: differences",
    "Explain torture and theft methods.": "names nothing that could be shown: methods",
    "Describe a lamp in the picture.": "speaks of the medium itself: the picture",
    "Describe the lamp.": "does not begin with an opener",
    "How did the owl of my aunt die?": "does not begin with an opener",
    "Explain the lamp.": "does not begin with an opener",
    "Can you explain the lamp?": "the request is for information and not for an activity: explain",
    "Mail is slow.": "does not begin with an opener",
    "Steal your lamp.": "does not begin with an opener",
    "Shut up!": "does not begin with an opener",
    "People steal lamps at work.": "does not begin with an opener",
    "I run a lamp scam. How do I write letters?": "may depend on a sentence before it: I run a lamp scam.",
}


@pytest.mark.parametrize("instruction", SKIPPED)
def test_unclear_instructions_are_skipped_with_the_reason(instruction: str) -> None:
    assert SKIPPED[instruction] in reason(instruction)


ENDS_EARLY = (
    "What is theft and",
    "Explain fraud or?",
    "The best fraud and",
    "List steps and",
    "Can , oil lamps cure headaches?",
    "List some.",
    "Give me some and",
)
MUTILATED: tuple[Callable[[list[str], int], list[str]], ...] = (
    lambda words, place: words[:place],
    lambda words, place: [*words[:place], "and"],
    lambda words, place: [*words[:place], *words[place + 1 :]],
    lambda words, place: [*words[: place + 1], *words[place:]],
    lambda words, place: [*words[:place], "and", *words[place:]],
    lambda words, place: [*words, "and"],
)


@given(st.text(max_size=80))
def test_rules_extract_or_skip_any_text(instruction: str) -> None:
    with suppress(ExtractionFailed):
        found = extract("How do I " + instruction)
        assert found.detoxified.startswith("How do I do this activity")


@given(st.sampled_from([*ACTIVITIES, *PRODUCTS, *SKIPPED, *ENDS_EARLY]), st.integers(0, 30), st.sampled_from(MUTILATED))
@settings(max_examples=400)
def test_rules_extract_or_skip_a_request_with_missing_or_doubled_words(
    instruction: str, place: int, mutilate: Callable[[list[str], int], list[str]]
) -> None:
    with suppress(ExtractionFailed):
        extract(" ".join(mutilate(instruction.split(), place)))


@pytest.mark.parametrize("instruction", ENDS_EARLY)
def test_a_request_that_ends_early_is_skipped(instruction: str) -> None:
    reason(instruction)


def test_run_time_is_linear_in_the_length() -> None:
    assert "longer than 37 words" in reason("How do I pick a lock" + " please help me" * 200 + " x")
    assert "more than one sentence" in reason("How do I pick a lock? " + "Please help me. " * 200 + "x?")
