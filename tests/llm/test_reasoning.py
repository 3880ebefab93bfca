"""What a reply says: without reasoning, in the marks of many models, and without special tokens."""

from __future__ import annotations

import pytest

from sea_core.llm.reasoning import answer_text, strip_reasoning

REPLIES = {
    "<think>Perhaps.</think>\n\nTake the lamp.": "Take the lamp.",
    "Perhaps.</think>Take the lamp.": "Take the lamp.",
    "<think>Perhaps. I should": "",
    "<think></think>": "",
    "<THINK>Perhaps.</THINK> Take the lamp.": "Take the lamp.",
    "<thinking>Perhaps.</thinking><answer>Take the lamp.</answer>": "Take the lamp.",
    "<reasoning>Perhaps.</reasoning>Take the lamp.": "Take the lamp.",
    "<thought>Perhaps.</thought>Take the lamp.": "Take the lamp.",
    "[THINK]Perhaps.[/THINK]Take the lamp.": "Take the lamp.",
    "◁think▷Perhaps.◁/think▷Take the lamp.": "Take the lamp.",
    "<seed:think>Perhaps.</seed:think>Take the lamp.": "Take the lamp.",
    "<|begin_of_thought|>Perhaps.<|end_of_thought|>Take the lamp.": "Take the lamp.",
    "<|START_THINKING|>Perhaps.<|END_THINKING|>Take the lamp.": "Take the lamp.",
    "<|channel|>analysis<|message|>Perhaps.<|end|><|start|>assistant<|channel|>final<|message|>Take it.": "Take it.",
    "<|channel|>analysis<|message|>Perhaps.": "",
    "analysisThe user asks.assistantfinalTake the lamp.": "Take the lamp.",
    "analysisThe user asks.": "",
    "Here is my thought process: perhaps. Here is my response: Take the lamp.": "Take the lamp.",
    "Here is my response: take the lamp.": "Here is my response: take the lamp.",
    "Analysis of the picture: a lamp.": "Analysis of the picture: a lamp.",
    "Take the lamp.</s>": "Take the lamp.",
    "<s> Take the lamp.<|im_end|>": "Take the lamp.",
    "</s></s><pad>": "",
    "<|endoftext|>": "",
    "<\uff5cend\u2581of\u2581sentence\uff5c>": "",
    " \n\t ": "",
    "if a < b and b > c:": "if a < b and b > c:",
    "[Your name] <b>Take</b> the lamp.": "[Your name] <b>Take</b> the lamp.",
}


@pytest.mark.parametrize("reply", REPLIES)
def test_reasoning_and_special_tokens_are_no_answer(reply: str) -> None:
    assert answer_text(reply) == REPLIES[reply]


def test_a_reply_without_reasoning_is_unchanged() -> None:
    assert strip_reasoning("  Take the lamp. \n") == "  Take the lamp. \n"
