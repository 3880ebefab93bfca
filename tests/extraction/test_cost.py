"""The cost of a text grows with its length, not with its square: each text here once took minutes, or never ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from sea_core.extraction.leak import leaked_words
from sea_core.extraction.rules.extractor import RulesExtractor
from sea_core.judges.lexical import names_content
from sea_core.judges.refusal_patterns import refuses
from sea_core.llm.json_reply import json_objects

LENGTH = 20_000
SECONDS = 5
"""Of processor time: a bound that no machine exceeds where the cost is linear, however busy it is."""
UNITS = ("a", "1", "!", "@", " ", "?", "re", "a ", "a_", "1 ", "{", '{"a":', "the ", "I cannot ", "steal a lamp ", "é")
"""What a text consists of, again and again."""

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "leak check": lambda text: leaked_words("steal a lamp", text, "activity"),
    "leak check of a long phrase": lambda text: leaked_words(text, "How do I this activity?", "activity"),
    "rules": lambda text: list(RulesExtractor().extract(["How do I " + text, text])),
    "lexical judge": lambda text: names_content(text, "steal a lamp"),
    "refusal judge": refuses,
    "JSON in a reply": lambda text: list(json_objects(text)),
}


@pytest.fixture
def bounded() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    former = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, former)


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_long_text_of_one_word_is_read_in_time(name: str) -> None:
    for unit in UNITS:
        text = unit * (LENGTH // len(unit))
        FUNCTIONS[name](text)
        FUNCTIONS[name](f"{text}!")


def test_a_long_token_still_leaks() -> None:
    token = "1" * 5000
    assert leaked_words(f"call {token}", f"Who is {token}?", "activity") == (token,)
    other = "2" * 5000
    assert leaked_words(f"call {token} {other}", f"Who is {token}{other}?", "activity") == (token + other,)
    assert leaked_words(f"call {token} lamp", f"Who is {token}lamp?", "activity") == (f"{token}lamp",)
    assert not leaked_words(f"call {token}", f"Who is {token}3?", "activity")
