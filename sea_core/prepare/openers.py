"""The openers that the offline extractor knows: what people say before the thing they ask about.

An opener stays in the detoxified instruction as it stands, so this list holds nothing harmful. It is a small grammar:
greeting, then perhaps a request to be told, then the question itself, whose form says how the phrase is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

# "pick a lock", "picking a lock", "a skeleton key", "a skeleton key work"
Form = Literal["base", "ing", "noun", "works"]


def _any(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


ONE = _any("i", "you", "we", "one", "someone", "somebody", "anyone", "people", "they", "a person")
CAN = _any("can", "could", "do", "does", "should", "would", "might", "may", "will", "shall", "must", "can't")
WILL_YOU = _any("can", "could", "would", "will", "can't", "won't") + " (?:you|u|someone|anyone|somebody)"
IS = _any("'s", "s", "'re", " is", " are", " was", " were", " would be", " might be", " could be")
SOFT = (
    "(?:" + _any("please", "really", "actually", "possibly", "just", "even", "best", "ever", "maybe", "kindly") + " )*"
)
FOR_ONE = rf"(?:for {_any('me', 'us', 'you', 'someone', 'somebody', 'a person', 'one', 'people')} )?"
ABOUT = _any("on", "for", "about", "of", "with", "in")
WAY = _any(
    "ways?", "methods?", "tips?", "techniques?", "strategy", "strategies", "approach", "approaches", "steps", "means",
    "ideas?", "instructions?", "advice", "suggestions?", "directions", "information", "info", "time", "times",
    "place", "places", "day", "days", "plan", "process", "guide", "help", "procedure", "secret",
)  # fmt: skip
HOW_GOOD = _any(
    "the", "an?", "any", "some", "your", "all", "of", "few", "other", "most", "more", "least", "really", "very",
    "step by step", "good", "great", "best", "better", "easy", "easiest", "easier", "fast", "fastest", "quick",
    "quickest", "simple", "simplest", "safe", "safest", "cheap", "cheapest", "effective", "efficient", "reliable",
    "clever", "smart", "smartest", "fun", "creative", "different", "common", "ideal", "right", "possible", "useful",
    "proper", "ultimate", "optimal", "detailed", "painless", "funny", "subtle", "sneaky", "secret", "alternative",
)  # fmt: skip
# These take a whole sentence ("a way I can ..."); after the others ("advice I can ...") something would be missing.
MANNER = _any("ways?", "methods?", "times?", "places?")
THE_BEST = rf"(?:(?:what|when|where|which){IS} |(?:is|are) there )?(?:{HOW_GOOD},? )*"
OKAY = _any(
    "ok", "okay", "alright", "all right", "fine", "legal", "illegal", "wrong", "bad", "good", "right", "possible",
    "impossible", "safe", "unsafe", "dangerous", "normal", "acceptable", "an? (?:good|bad|great) idea", "a crime",
    "a sin", "easy", "hard", "difficult", "unethical", "ethical", "immoral", "moral", "mean", "rude", "weird",
    "smart", "appropriate", "inappropriate", "against the law", "worth it", "healthy", "unhealthy", "better", "cruel",
    "cool", "fun",
)  # fmt: skip
WANT = _any(
    "(?:really |just |also |always |still )*"
    + _any("want", "need", "have", "plan", "hope", "wish", "would like", "would love"),
    "(?:am|was) " + _any("trying", "looking", "planning", "going", "hoping", "about"),
)  # fmt: skip
I_WANT_TO = _any(
    rf"(?:i|we) {WANT} to",
    r"i'd (?:really )?(?:like|love) to",
    r"i'm (?:just |really )?(?:trying|looking|planning|going|hoping) to",
    r"i've (?:always wanted|been trying|been wanting) to",
    r"(?:i )?wanna",
    "(?:trying|looking|need|want) to",
)
LEARN = _any("know", "learn", "find out", "figure out", "understand", "see", "hear", "learn about")

HELLO = _any("hi", "hey", "hello", "yo", "ok", "okay", "so", "well", "um", "please", "pls", "alright", "dude", "there")
GREETING = rf"(?:{HELLO}(?:[,.!…]+ ?| ))*"

# A request to be told; any question may follow it.
ASK = _any(
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell|teach|show|explain to|give|advise|instruct) (?:me|us) (?:about )?(?:exactly )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:explain|describe|suggest|provide|list|give|recommend) (?:to me )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:me|us)? ?(?:to )?(?:{LEARN} |with )",
    r"(?:do|would) you (?:happen to )?(?:know|have)(?: of| about| any idea| any ideas)? ",
    rf"{I_WANT_TO} {LEARN} ",
    r"i(?: am|'m)? (?:was )?(?:just )?(?:wonder|wondering|curious|not sure|unsure)(?: about)? ",
    r"i (?:need|want|don't know) ",
    r"any idea ",
)

BASE = (
    rf"how {CAN} {ONE} {SOFT}",
    rf"how to {SOFT}",
    rf"how {ONE} {CAN} {SOFT}",
    rf"{THE_BEST}{WAY} (?:on |for )?(?:how )?{FOR_ONE}to {SOFT}",
    rf"{THE_BEST}{MANNER} (?:that |in which )?{ONE} {CAN} {SOFT}",
    rf"(?:is|would) (?:it|that|this) (?:be )?(?:ever |so |too |really |considered )?{OKAY} "
    rf"{FOR_ONE}(?:to|if {ONE}) {SOFT}",
    rf"(?:if |whether )?(?:should|can|could|may|must) (?:i|we|one|someone|somebody|anyone) {SOFT}",
    rf"(?:if|whether) {ONE} {CAN} {SOFT}",
    rf"(?:where|when) (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}",
    rf"what (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}"
    rf"(?:do|use|need|say|have to do|need to do|need to know) (?:in order )?to {SOFT}",
    rf"what (?:happens|would happen|will happen|could happen) (?:to me )?(?:if|when) (?:i|you|we|people|they) {SOFT}",
    rf"how (?:long|much|hard|easy|difficult|dangerous|risky) (?:does it (?:take|cost)|is it|would it (?:be|take|cost)) "
    rf"{FOR_ONE}to {SOFT}",
    rf"{I_WANT_TO} {SOFT}(?:{LEARN} how to )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|teach|show|train) (?:me|us) (?:how to |to )?",
    rf"{WILL_YOU} {SOFT}",
    rf"do you think (?:that )?(?:i|we) {CAN} {SOFT}",
    rf"(?:hypothetically,? )?if (?:i|you|we|someone) (?:wanted|want|were|needed|decided) to {SOFT}",
    rf"(?:let's|lets|let us) {SOFT}",
)  # fmt: skip

ING = (
    rf"how {CAN} {ONE} {SOFT}go(?:ing)? about {SOFT}",
    rf"{THE_BEST}{WAY} {ABOUT} ",
    rf"{THE_BEST}{WAY} {FOR_ONE}(?:to|{ONE} {CAN}) {SOFT}go about {SOFT}",
    rf"(?:i|we) {WANT} (?:some |any |your )?(?:help|advice|tips|ideas|information|info) (?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:me|us) (?:out )?{ABOUT} ",
    r"(?:i'm|i am|i was|i've been|i have been) (?:thinking of|thinking about|considering|interested in|planning on) ",
)

FIND = _any("buy", "get", "find", "purchase", "obtain", "order", "acquire", "rent", "score", "download", "locate")
GIVE = _any("give", "get", "find", "send", "show", "provide", "bring", "sell", "lend")
NOUN = (
    rf"where (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}{FIND} ",
    rf"what{IS} ",
    rf"what exactly {_any('is', 'are')} ",
    rf"(?:{WILL_YOU} )?{SOFT}tell (?:me|us) (?:more |something |everything )?about ",
    r"what (?:can|could|do) you (?:tell me|know) about ",
    r"do you know (?:anything|much|a lot|something) about ",
    r"do you (?:know|have) (?:of )?(?=any )",
    rf"(?:{WILL_YOU} )?{SOFT}{GIVE} (?:me|us) (?:with )?",
    r"(?:i'm|i am) (?:looking|searching) for ",
)  # fmt: skip
WORKS = (r"how (?:do|does) (?=[^?!.]* works?\b)",)


SO_IT = r"(?:this|that|it|so|these things)"
# What may follow the phrase, after a comma or as a sentence of its own: it says nothing that was not said.
CLOSING = _any(
    r"please(?: help(?: me)?)?(?: out)?",
    r"(?:thanks|thank you)(?: so much| a lot| very much)?",
    r"any (?:ideas?|suggestions?|advice|tips|help)",
    r"i (?:could use|need) (?:your |some )?(?:help|advice|ideas)",
    rf"(?:so |and |but )?how {CAN} {ONE} {SOFT}(?:go about )?"
    rf"(?:do|doing|accomplish|achieve|manage|pull off|get away with) {SO_IT}",
    rf"(?:{WILL_YOU} |please )?{SOFT}help (?:me|us)?(?: ?with {SO_IT})?(?: ?do {SO_IT})?(?: out)?",
    rf"{WILL_YOU} {SOFT}(?:tell|show|teach|explain to) me how(?: to do {SO_IT})?",
    rf"(?:do you )?(?:know|have) (?:any|some) (?:ideas?|suggestions?|advice|tips)(?: on how to do {SO_IT}| for me)?",
    rf"do you know how (?:to do {SO_IT}|i (?:can|could) do {SO_IT})",
    rf"what(?:'s| is| would be) the (?:best|easiest|fastest|quickest) way to (?:do|go about) {SO_IT}",
    rf"(?:is|would) {SO_IT} (?:be )?{OKAY}",
    r"what (?:should|can|do) i do",
    r"what do you (?:think|recommend|suggest)",
    r"where (?:do|should|can|would) i (?:start|begin)",
    r"right",
    r"lol",
)


def _compile() -> Iterator[tuple[re.Pattern[str], Form]]:
    groups: tuple[tuple[Form, tuple[str, ...]], ...] = (("ing", ING), ("base", BASE), ("noun", NOUN), ("works", WORKS))
    for form, questions in groups:
        for question in questions:
            yield re.compile(f"{GREETING}(?:{ASK})?{question}", re.IGNORECASE), form


OPENERS = tuple(_compile())


def openings(text: str) -> tuple[int, list[Form]]:
    """Return where the phrase begins, and the forms it may have there; (0, []) for an unknown opener.

    The longest opener counts: "I want to learn how to" opens with "I want to" as well.
    """
    ends = [(match.end(), form) for pattern, form in OPENERS if (match := pattern.match(text))]
    start = max((end for end, _ in ends), default=0)
    return start, list(dict.fromkeys(form for end, form in ends if end == start))
