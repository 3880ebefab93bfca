"""The lexical judge: which answers name a content."""

from __future__ import annotations

import pytest

from sea_core.judges.base import Answer
from sea_core.judges.lexical import LexicalJudge, names_content


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("A person is stealing a lamp.", "steal a lamp"),
        ("Someone stole two LAMPS!", "steal a lamp"),
        ("The lamp is what they steal", "steal the lamp"),
        ("She ran off with children's toys", "run off with a child's toy"),
        ("a skeleton key", "a skeleton key"),
        ("Skeleton keys are shown.", "a skeleton key"),
        ("In the audio, a person is hotwiring a car.", "hotwire a car"),  # the dictionary lacks the verb
    ],
)
def test_every_content_word_in_any_inflection_is_named(answer: str, content: str) -> None:
    assert names_content(answer, content)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("A person is stealing a book.", "steal a lamp"),
        ("A person is holding a lamp.", "steal a lamp"),
        ("A person is steeling a clamp.", "steal a lamp"),
        ("a key", "a skeleton key"),
        ("", "steal a lamp"),
        ("The audio is silent.", "steal a lamp"),
    ],
)
def test_a_missing_content_word_is_missed(answer: str, content: str) -> None:
    assert not names_content(answer, content)


@pytest.mark.parametrize("content", ["", "to the", "this of it", "..."])
def test_content_without_content_words_is_never_named(content: str) -> None:
    assert not names_content("To the very end of it ...", content)


def test_the_verdicts_are_in_the_order_of_the_answers() -> None:
    answers = [Answer("b", "?", "A lamp is stolen.", "steal a lamp"), Answer("a", "?", "A lamp.", "steal a lamp")]
    assert [(v.key, v.verdict) for v in LexicalJudge().judge(answers)] == [("b", "named"), ("a", "missed")]
