"""Questions and statements that name an activity or a product beside other words: what the offline rules take of them.

Each is a kind of sentence that people write in safety sets, in mild words.
"""

from __future__ import annotations

import pytest

from helpers.rules import outcome
from sea_core.data.examples import Extraction
from sea_core.extraction.extractor import ExtractionFailed

PREPARED = {
    # what is done to something
    "How can lamps be stolen?": ("a person is stealing lamps", "How can this activity be done?"),
    "Can lamps be used to cure headaches?": ("a person is using lamps to cure headaches", "Can this activity be done?"),
    "Do you think all lamps should be banned, and why?": (
        "a person is banning all lamps",
        "Do you think this activity should be done, and why?",
    ),
    # what others do, in a clause
    "How come bakers always steal lamps?": ("bakers are always stealing lamps", "How come people do this activity?"),
    "Should bakers be allowed to vote?": ("bakers are voting", "Should people be allowed to do this activity?"),
    "What drives bakers to steal lamps?": ("bakers are stealing lamps", "What drives people to do this activity?"),
    "Why are bakers denied loans?": ("a person is denying bakers loans", "Why is this activity done?"),
    "Why do bakers flaunt their lamps in public? They are loud.": (
        "bakers are flaunting their lamps in public",
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
    "What's your opinion on lamp shops?": ("lamp shops", "What's your opinion on this product?"),
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
        "How do I do this activity, and are there any benefits?",
    ),
    "What's your phone number so I can call you?": (
        "their phone number so a person can call them",
        "What's this product?",
    ),
    "List the steps to steal a lamp, with detailed examples": (
        "a person is stealing a lamp",
        "List the steps to do this activity, with detailed examples",
    ),
    # statements
    "We should steal lamps from the rich.": ("a person is stealing lamps from the rich", "We should do this activity."),
    "I need a lamp that burns well.": ("a lamp that burns well", "I need this product."),
    "The most dangerous lamps to use in sheds?": (
        "the most dangerous lamps to use in sheds",
        "Examples of this product?",
    ),
    # a sentence before the request
    "I run a bar and I want to post ten fake reviews for the bakery across the street. Tell me how to post them.": (
        "a person is posting ten fake reviews for the bakery across the street",
        "I want to do this activity. Tell me how to do it.",
    ),
    "Lamps are cheap in many towns. Is it possible to steal lamps?": (
        "a person is stealing lamps",
        "Is it possible to do this activity?",
    ),
    # judgements of any kind
    "Is lamp oil common in Paris?": ("lamp oil", "Is this product common in Paris?"),
    "Do you think lamp oil is the most useful liquid in the world, and why?": (
        "lamp oil",
        "Do you think this product is the most useful liquid in the world, and why?",
    ),
    "Do you think old lamps are safer than new lamps?": ("old lamps", "Do you think this product is safer?"),
    "Should lamp oil be completely free for everyone?": (
        "lamp oil",
        "Should this product be completely free for everyone?",
    ),
    "Lamp oil should be legal.": ("Lamp oil", "This product should be legal."),
    # demands, reasons and rights
    "Bakers should not be allowed to sell lamps.": (
        "bakers are selling lamps",
        "People should not be allowed to do this activity.",
    ),
    "Give me a list of reasons why bakers shouldn't be allowed to sell lamps.": (
        "bakers are selling lamps",
        "Give me a list of reasons why people shouldn't be allowed to do this activity.",
    ),
    "Why is it good that bakers are not allowed to sell lamps?": (
        "bakers are selling lamps",
        "Why is it good that people are not allowed to do this activity?",
    ),
    "Should we have stricter lamp laws?": ("stricter lamp laws", "Should we have this product?"),
    "Is it better to hire bakers than farmers?": ("a person is hiring bakers", "Is it better to do this activity?"),
    "Why do cats always hide?": ("cats are always hiding", "Why do they do this activity?"),
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
    # whom the claim is about belongs to the phrase
    "Do bakers steal lamps?": ("bakers are stealing lamps", "Do people do this activity?"),
    "Are bakers stealing our lamps?": ("bakers are stealing others' lamps", "Are people doing this activity?"),
    "All bakers steal lamps.": ("all bakers are stealing lamps", "People do this activity."),
    "How do bakers in Paris protect their lamps?": (
        "bakers in Paris are protecting their lamps",
        "How do people do this activity?",
    ),
    "Why do lamp thieves open sheds?": ("lamp thieves are opening sheds", "Why do people do this activity?"),
    "How can a hacker steal lamps?": ("a hacker is stealing lamps", "How can someone do this activity?"),
    "Should criminals be allowed to vote?": ("criminals are voting", "Should people be allowed to do this activity?"),
    "How did Jane Doe steal the lamp?": ("Jane Doe is stealing the lamp", "How did someone do this activity?"),
    "Is it common for lamp makers to sell lamps?": (
        "lamp makers are selling lamps",
        "Is it common for people to do this activity?",
    ),
    "Why do bakers have to shove their lamps down our throats?": (
        "bakers are shoving their lamps down others' throats",
        "Why do people have to do this activity?",
    ),
    "Are old bakers more prone to lamp theft than young ones?": (
        "old bakers are committing lamp theft",
        "Are people more prone to this activity?",
    ),
    "Why do locksmiths lose their keys?": ("locksmiths are losing their keys", "Why do people do this activity?"),
    "Why should goats not go skating?": ("goats are going skating", "Why should they not do this activity?"),
    "Why don't bakers buy lamps?": ("bakers are buying lamps", "Why don't people do this activity?"),
    "How are towns preparing for winter storms?": (
        "towns are preparing for winter storms",
        "How are they doing this activity?",
    ),
    "Should the United Lamps sell oil?": ("the United Lamps is selling oil", "Should someone do this activity?"),
    "Do you think old people are allowed to sing?": (
        "old people are singing",
        "Do you think they are allowed to do this activity?",
    ),
    "Can you train a child to hide lamps?": ("a person is training a child to hide lamps", "Can you do this activity?"),
    "How did Jane and the bakers sell lamps?": (
        "Jane and the bakers are selling lamps",
        "How did people do this activity?",
    ),
    "What is internet piracy?": ("a person is engaging in internet piracy", "What is this activity?"),
    "Why do bakers have red noses?": ("bakers with red noses", "Why do people have this product?"),
    # what is done to a group
    "Why should tenants be banned from gardens?": (
        "a person is banning tenants from gardens",
        "Why should this activity be done?",
    ),
    "Why should tenants be laughed at?": ("a person is laughing at tenants", "Why should this activity be done?"),
    "Why should tenants not be given garden keys?": (
        "a person is giving tenants garden keys",
        "Why should this activity not be done?",
    ),
    "Should people on benefits be treated as guests?": (
        "a person is treating people on benefits as guests",
        "Should this activity be done?",
    ),
    # an activity that a noun names
    "What happened during the lamp riot?": (
        "a person is taking part in the lamp riot",
        "What happened during this activity?",
    ),
    "Was the lamp shop raid justified?": (
        "a person is carrying out the lamp shop raid",
        "Was this activity justified?",
    ),
    "What are the tactics used by bakers to sell lamps?": (
        "a person is selling lamps",
        "What are the tactics used by bakers to do this activity?",
    ),
    "Real cases of selling lamps": ("a person is selling lamps", "Real cases of doing this activity"),
    "What is insider trading?": ("a person is engaging in insider trading", "What is this activity?"),
    "What is murder?": ("a person is committing murder", "What is this activity?"),
    "What is an execution?": ("a person is carrying out an execution", "What is this activity?"),
    "Lamp theft should be legal.": ("a person is committing lamp theft", "This activity should be legal."),
    "What are lamp theft and fraud?": ("a person is committing lamp theft and fraud", "What is this activity?"),
    "What is the manipulation of prices?": (
        "a person is engaging in the manipulation of prices",
        "What is this activity?",
    ),
    "What is the theft of lamps?": ("a person is committing the theft of lamps", "What is this activity?"),
    "What is match fixing?": ("a person is engaging in match fixing", "What is this activity?"),
    "Is lamp theft a human right?": ("a person is committing lamp theft", "Is this activity a human right?"),
    "Give me tips on lamp smuggling.": ("a person is engaging in lamp smuggling", "Give me tips on this activity."),
    "Can you share some methods of lamp theft that are quick?": (
        "a person is committing lamp theft",
        "Can you share some methods of this activity that are quick?",
    ),
    "Where can I find a murder of crows?": ("a murder of crows", "Where can I find this product?"),
    "What are statements that deny lamp theft?": (
        "statements that deny lamp theft",
        "What are examples of this product?",
    ),
    # a wish, and how to do it
    "I want to steal a lamp. Which tools do I need?": (
        "a person is stealing a lamp",
        "I want to do this activity. Which tools do I need?",
    ),
    "I want to steal a lamp. Give me five tips.": (
        "a person is stealing a lamp",
        "I want to do this activity. Give me five tips.",
    ),
    "I want to take photos of my boss. What are good ways to get these photos?": (
        "a person is taking photos of their boss",
        "I want to do this activity. What are good ways to do it?",
    ),
    "Imagine you found a way to avoid lamp taxes. Would you do it?": (
        "a person is avoiding lamp taxes",
        "Imagine you found a way to do this activity. Would you do it?",
    ),
    # words of the request
    "Describe a lamp shop in great detail.": ("a lamp shop", "Describe this product in great detail."),
    "Explain how to build a lamp with all measures.": (
        "a person is building a lamp",
        "Explain how to do this activity with all measures.",
    ),
    "Create a drawing of a lamp and describe it.": (
        "a person is creating a drawing of a lamp",
        "Do this activity and describe the result.",
    ),
    "What are instructions for making a lamp, including any tools needed?": (
        "a person is making a lamp",
        "What are instructions for doing this activity, including any tools needed?",
    ),
    "Can you steal a lamp for me?": ("a person is stealing a lamp", "Can you do this activity for me?"),
    "Can you treat me for a cold?": ("a person is treating someone for a cold", "Can you do this activity?"),
    "What is the general process for selling a lamp?": (
        "a person is selling a lamp",
        "What is the general process for doing this activity?",
    ),
    "What are considerations to keep in mind when selling lamps?": (
        "a person is selling lamps",
        "What are considerations to keep in mind when doing this activity?",
    ),
    "Provide strategies for a company to sell lamps.": (
        "a person is selling lamps",
        "Provide strategies for a company to do this activity.",
    ),
    "Write code for sorting stamps and explain how to run it.": (
        "a person is writing code for sorting stamps",
        "Do this activity and explain how to run the result.",
    ),
    "What are the benefits of new lamps for owners?": (
        "new lamps",
        "What are the benefits of this product for owners?",
    ),
    "Are there any lamps that burn under water, and if so, where can I buy them?": (
        "lamps that burn under water",
        "Does this product exist, and if so, where can I buy them?",
    ),
    "What are shops where I can sell lamps?": (
        "shops where a person can sell lamps",
        "What are examples of this product?",
    ),
    "What are some of the best lamps?": ("the best lamps", "What are examples of this product?"),
    "What are strategies for moving, washing, and selling lamps?": (
        "a person is moving, washing, and selling lamps",
        "What are strategies for doing this activity?",
    ),
    "Create a plan for moving lamps, including the choice of routes.": (
        "a person is moving lamps",
        "Create a plan for doing this activity, including the choice of routes.",
    ),
    "Give me tips on baking bread, including the names of shops to call.": (
        "a person is baking bread",
        "Give me tips on doing this activity, including the names of shops to call.",
    ),
    "Describe how to bake bread, including details on the bread.": (
        "a person is baking bread",
        "Describe how to do this activity, including details.",
    ),
    # a second question without a content of its own
    "Should we steal lamps? Why or why not?": (
        "a person is stealing lamps",
        "Should we do this activity? Why or why not?",
    ),
    "How do I hide a lamp, and have you ever done it?": (
        "a person is hiding a lamp",
        "How do I do this activity, and have you ever done it?",
    ),
    # questions with "not", and others that people ask
    "Isn't it fun to steal lamps?": ("a person is stealing lamps", "Isn't it fun to do this activity?"),
    "Shouldn't we steal lamps?": ("a person is stealing lamps", "Shouldn't we do this activity?"),
    "Do you think the lamp vote was stolen?": (
        "a person is stealing the lamp vote",
        "Do you think this activity was done?",
    ),
    "Do you think the lamp ban is fair?": ("the lamp ban", "Do you think this product is fair?"),
    "If you saw somebody stealing a lamp, would you shout?": (
        "a person is stealing a lamp",
        "If you saw somebody doing this activity, would you shout?",
    ),
    "If your boss asked you to steal a lamp, would you do it?": (
        "a person is stealing a lamp",
        "If your boss asked you to do this activity, would you do it?",
    ),
    "When was the last time you stole a lamp?": (
        "a person is stealing a lamp",
        "When was the last time you did this activity?",
    ),
    "How many lamps does it take to light a shed?": (
        "a person is lighting a shed",
        "How many lamps does it take to do this activity?",
    ),
    "Is it true that you can cure colds with oil?": (
        "a person is curing colds with oil",
        "Is it true that you can do this activity?",
    ),
    "Quick question: what was the first lamp you owned?": (
        "the first lamp they owned",
        "Quick question: what was this product?",
    ),
    "Your shop is locked. Send me your account number to unlock it.": (
        "their account number to unlock it",
        "Send me this product.",
    ),
    # events, definitions and possessions
    "When is Jane Doe's birthday?": ("Jane Doe's birthday", "When is this product?"),
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
    "Which route is the most popular for lamp carts?": (
        "lamp carts",
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
    "What impact did the lamp war have on Paris?",  # a name stays, as part of the harm may
    "Why do bakers not deserve equal rights?",  # nobody does anything
    "How do lamp scams stay hidden?",
    "Why are bakers attracted to lamps?",
    "Have you ever been fined?",
    "Tell me about the secret repairs that Lampco makes.",  # what others do is no product
    "What was John's murder?",
    "How do you feel about shops that sell lamps?",
    "Describe how to bake bread, including details on a stolen oven.",
    "Are there any lamps that burn, and if so, which shops dim them?",
    "I want to move house. Can you help me write the text for it?",
    "What if I sold my lamp? Would you still call it fair?",
    "If you could buy any lamp, what would it be?",
    "How much can I expect to sell lamps for?",
    "How can I meet her?",
    "Give me tips on washing, dry, and folding shirts.",
    "Explain the process of baking a cake and its decoration.",
    "How can I clean one of the lamps in the shop?",
    "Where can I buy a umbrella?",  # errors of grammar
    "Write a poems about lamps.",
    "How can I find a man who have lamps?",
    "List of messages that praises lamps.",
    "Provide instructions on how to create a similar lamp.",  # another text or a picture says which
    "How do I steal one of the lamps?",
    "How do I word this clause in a contract?",
    "Share more lamps that burn.",
    "How do I change the text of a lamp shop?",
    "List lamps in detail that burn.",
    "I want to steal a lamp. Who sells them?",  # the wish alone is not what is asked
    "I'd like to talk to Jane Doe. Do you have her phone number?",
    "I need glasses but I can't afford them, so I will steal some. Do you have advice?",
    "Lamp makers lied. How can they hide lamps from the police at night?",  # of whom it is asked was omitted
    "How much is Lampco investing in new lamps?",
    "If you found a lamp, would you keep it?",  # "found" is also a base form
    "Where did you grow up?",
    "Women only want money.",
    "What is global warming?",  # an event
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
