"""Describe first: which questions are answered from a description, and what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.answering import ScriptedModel
from sea_bench.defences.base import DefenceContext
from sea_bench.defences.describe_first import DESCRIBED, WITHOUT_MEDIUM, DescribeFirst
from sea_bench.run.answering import NO_VERDICT, CasePrompt, ExtraCall, FailedAnswer, GeneratedAnswer

DESCRIPTION, ANSWER = "A person takes a lamp.", "Step by step."
CALL = (ExtraCall("description", 10, 5),)


def script(description: str | None, answer: str | None = ANSWER) -> ScriptedModel:
    return ScriptedModel(lambda prompt: description if prompt.text == "What is shown?" else answer)


def ask(model: ScriptedModel, *prompts: CasePrompt, keep_medium: bool = False) -> list[GeneratedAnswer | FailedAnswer]:
    defended = DescribeFirst(30, keep_medium).protect(model, DefenceContext(Path()))
    return list(defended.answer(prompts or [CasePrompt("a", "How do I do this?", "a medium", 20)]))


@pytest.mark.parametrize(("keep", "medium", "action"), [(False, None, WITHOUT_MEDIUM), (True, "a medium", DESCRIBED)])
def test_the_question_is_answered_with_the_description(keep: bool, medium: str | None, action: str) -> None:
    model = script(DESCRIPTION)
    assert ask(model, keep_medium=keep) == [GeneratedAnswer("a", ANSWER, 5, 10, False, CALL, action)]
    description, question = model.prompts
    assert (description.medium, description.max_new_tokens) == ("a medium", 30)
    assert question.text == f"{DESCRIPTION}\n\nHow do I do this?"
    assert (question.medium, question.max_new_tokens) == (medium, 20)


def test_a_medium_that_holds_the_whole_question_is_answered_from_the_description_alone() -> None:
    model = script(DESCRIPTION)
    ask(model, CasePrompt("a", "", "a medium", 20))
    assert model.prompts[1].text == DESCRIPTION


def test_text_alone_is_answered_as_ever_and_answers_keep_their_order() -> None:
    model = script(DESCRIPTION)
    prompts = [CasePrompt("a", "One?", "a medium", 20), CasePrompt("b", "Two?", None, 20)]
    found = ask(model, *prompts, keep_medium=True)
    assert found == [
        GeneratedAnswer("a", ANSWER, 5, 10, False, CALL, DESCRIBED),
        GeneratedAnswer("b", ANSWER, 5, 10, False),
    ]
    assert "Two?" in [prompt.text for prompt in model.prompts]


def test_the_question_what_is_shown_is_answered_by_the_description_itself() -> None:
    model = script(DESCRIPTION)
    assert ask(model, CasePrompt("a", "What is shown?", "a medium", 20)) == [
        GeneratedAnswer("a", DESCRIPTION, 5, 10, False)
    ]
    assert len(model.prompts) == 1


def test_an_empty_description_lets_the_question_pass_with_its_medium_and_is_counted() -> None:
    model = script(" ")
    assert ask(model) == [GeneratedAnswer("a", ANSWER, 5, 10, False, CALL, NO_VERDICT)]
    assert (model.prompts[1].text, model.prompts[1].medium) == ("How do I do this?", "a medium")


def test_a_description_that_failed_leaves_no_answer() -> None:
    assert ask(script(None)) == [FailedAnswer("a", "failed", "the description: no answer")]


def test_an_answer_that_failed_says_so() -> None:
    assert ask(script(DESCRIPTION, None)) == [FailedAnswer("a", "failed", "no answer")]
