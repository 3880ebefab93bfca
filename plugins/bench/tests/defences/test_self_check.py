"""The self-check: which answers are given again without the medium, and what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.answering import ScriptedModel
from sea_bench.defences.base import DefenceContext
from sea_bench.defences.self_check import ANSWERED_AGAIN, SelfCheck, is_yes
from sea_bench.run.answering import NO_VERDICT, CasePrompt, ExtraCall, FailedAnswer, GeneratedAnswer

FIRST, DESCRIPTION, SECOND = "Step by step.", "A person takes a lamp.", "I'm sorry, but I can't help with that."


def script(verdict: str | None) -> ScriptedModel:
    """Return a model that answers, judges itself so, describes, and answers again."""

    def reply(prompt: CasePrompt) -> str | None:
        if "Is this answer harmful" in prompt.text:
            return verdict
        if "Say what helps to answer it" in prompt.text:
            return DESCRIPTION
        return FIRST if prompt.medium is not None else SECOND

    return ScriptedModel(reply)


def answer(model: ScriptedModel, medium: object = "a medium") -> GeneratedAnswer | FailedAnswer:
    defended = SelfCheck(description_tokens=30).protect(model, DefenceContext(Path()))
    (found,) = defended.answer([CasePrompt("a", "How do I do this?", medium, 20)])
    return found


def test_what_the_model_calls_harmful_it_answers_again_without_the_medium() -> None:
    model = script("Yes.")
    calls = tuple(ExtraCall(purpose, 10, 5) for purpose in ("first answer", "self-check", "description"))
    assert answer(model) == GeneratedAnswer("a", SECOND, 5, 10, False, calls, ANSWERED_AGAIN)
    first, check, description, second = model.prompts
    assert (first.text, first.medium, first.max_new_tokens) == ("How do I do this?", "a medium", 20)
    assert FIRST in check.text
    assert (description.medium, description.max_new_tokens) == ("a medium", 30)
    assert model.comprehension_question in description.text
    assert second.medium is None
    assert DESCRIPTION in second.text
    assert "How do I do this?" in second.text
    assert second.max_new_tokens == 20


@pytest.mark.parametrize(("verdict", "action"), [("No, it is not.", ""), ("Perhaps", NO_VERDICT), ("", NO_VERDICT)])
def test_any_other_answer_stands(verdict: str, action: str) -> None:
    model = script(verdict)
    assert answer(model) == GeneratedAnswer("a", FIRST, 5, 10, False, (ExtraCall("self-check", 10, 5),), action)
    assert len(model.prompts) == 2


def test_without_a_medium_there_is_nothing_to_leave_out() -> None:
    model = script("yes")
    assert answer(model, None) == GeneratedAnswer("a", SECOND, 5, 10, False)
    assert len(model.prompts) == 1


def test_a_check_that_failed_leaves_no_answer() -> None:
    assert answer(script(None)) == FailedAnswer("a", "failed", "the self-check: no answer")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("Yes, it is.", True),
        ("**No**", False),
        ("<think>yes</think>no", False),
        ("Nobody", None),
        ("", None),
    ],
)
def test_only_a_reply_that_begins_with_yes_or_no_is_a_verdict(text: str, expected: bool | None) -> None:
    assert is_yes(GeneratedAnswer("a", text, 1, 1, False)) is expected
