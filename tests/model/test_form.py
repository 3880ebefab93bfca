"""What a processor makes of a medium: read from its output for prompts, and put into other prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from sea_core import ModelError
from sea_core.model.form import ReadPrompt, read_form

BOS, IMAGE, ROW, USER, NEWLINE = 1, 90, 91, 5, 6
QUESTIONS = ([7], [7, 8, 9])


def prompt(question: list[int], marker: list[int], expansion: list[int], **more: Any) -> ReadPrompt:
    chat, full = ([BOS, USER, *part, *question, NEWLINE] for part in (marker, expansion))
    inputs = {"input_ids": torch.tensor([full]), "attention_mask": torch.ones(1, len(full)), **more}
    return ReadPrompt([BOS, USER, *question, NEWLINE], chat, inputs)


@pytest.mark.parametrize(
    ("marker", "expansion"),
    [
        ([IMAGE], [IMAGE] * 4),  # a placeholder is repeated
        ([IMAGE], [IMAGE]),  # as with cross attention
        ([ROW, IMAGE, ROW], [ROW, IMAGE, IMAGE, ROW, 12, IMAGE, IMAGE, ROW]),  # lines, with text between them
        ([ROW], [12, ROW, IMAGE, IMAGE, ROW, 13]),  # what the template writes is another token
        ([], [IMAGE, IMAGE]),  # the template writes nothing
    ],
)
def test_a_medium_is_put_into_another_prompt(marker: list[int], expansion: list[int]) -> None:
    form = read_form([prompt(question, marker, expansion) for question in QUESTIONS])
    other = prompt([20, 21, 22, 23], marker, expansion)
    assert form.expand(other.chat_ids) == other.ids
    assert other.ids[form.begin(other.ids, IMAGE) or 0 :][: len(form.expansion)] == list(form.expansion)
    assert form.begin([BOS, USER, 7], IMAGE) is None


def test_inputs_with_a_value_for_each_token_follow_the_prompt() -> None:
    def types(question: Sequence[int]) -> torch.Tensor:
        return torch.tensor([[0, 0, 1, 2, 1, *[3] * len(question), 3]])

    prompts = [
        prompt(question, [IMAGE], [IMAGE] * 3, types=types(question), grid=torch.tensor([[1, 3]]))
        for question in QUESTIONS
    ]
    form = read_form(prompts)
    assert list(form.token_inputs) == ["types"]
    assert form.token_inputs["types"].values(3, 10).tolist() == [0, 0, 0, 1, 2, 1, 3, 3, 3, 3]
    assert form.token_inputs["types"].values(None, 3).tolist() == [0, 0, 0]


def test_a_processor_that_changes_the_question_is_refused() -> None:
    def reordered(question: list[int]) -> ReadPrompt:
        found = prompt(question, [IMAGE], [IMAGE])
        ids = [IMAGE, IMAGE, BOS, *question, 99]
        return ReadPrompt(found.text_ids, found.chat_ids, {"input_ids": torch.tensor([ids])})

    with pytest.raises(ModelError, match="changes a prompt in other places"):
        read_form([reordered(question) for question in QUESTIONS])


def test_a_value_that_differs_within_the_text_is_refused() -> None:
    prompts = [prompt(q, [IMAGE], [IMAGE] * 2, order=torch.arange(5 + len(q))[None]) for q in QUESTIONS]
    with pytest.raises(ModelError, match="order differs within the text"):
        read_form(prompts)


def test_a_template_that_writes_nothing_for_a_medium_is_refused() -> None:
    with pytest.raises(ModelError, match="writes anything for a medium"):
        read_form([prompt(question, [], []) for question in QUESTIONS])
