"""`goals`: more goals, which ask for content and style in other wordings, and for the answer to a benign question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from sea_core.data.examples import Goal, PreparedExample
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.optimization.recipes.base import Recipe

LIST_NUMBER = re.compile(r"^(?:\(?\d{1,2}[.)]|[-*•])\s+")


@dataclass(frozen=True)
class GoalsRecipe(Recipe):
    """More than two goals for each embedding. None of them is worded like a held-out question."""

    comply: Literal["benign", "all", "none"] = "benign"
    """Which examples get one more goal: the prompt x_m, with the first sentence of the complying response as its target
    answer. With `all`, the embedding of a harmful example is optimised towards a harmful response."""

    name: ClassVar[str] = "goals"

    def goals(self, adapter: Adapter, example: PreparedExample) -> tuple[Goal, ...]:
        goals = (*example.goals, *prompts.paraphrased_goals(adapter, example.extraction, example.style))
        included = self.comply == "all" or (self.comply == "benign" and not example.example.harmful)
        answer = complying_sentence(example) if included else None
        return (*goals, Goal(prompts.multimodal_prompt(adapter, example.extraction), answer)) if answer else goals


def complying_sentence(prepared: PreparedExample) -> str | None:
    """Return the first sentence of the response that complies: for a harmful example, of the rejected one."""
    example = prepared.example
    response = example.rejected if example.harmful else example.chosen or example.response
    sentence = LIST_NUMBER.sub("", (response or "").strip().split("\n")[0])
    for end in (". ", "! ", "? "):
        sentence = sentence.split(end)[0] + end.strip() if end in sentence else sentence
    return sentence or None
