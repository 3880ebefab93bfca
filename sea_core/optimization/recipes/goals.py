"""`goals`: the same content and style asked for in other wordings, and the row's own answer where it complies."""

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
    """More goals than two for each embedding. None of them has the wording of a held-out question."""

    comply: Literal["benign", "all", "none"] = "benign"
    """Which rows are also asked what x_m asks, with the first sentence of the answer that complies as the target:
    `benign`, `all` or `none`. With `all`, the embedding of a harmful row is made to draw a harmful answer."""

    name: ClassVar[str] = "goals"

    def goals(self, adapter: Adapter, row: PreparedExample) -> tuple[Goal, ...]:
        asked = (*row.goals, *prompts.paraphrased_goals(adapter, row.extraction, row.style))
        meant = self.comply == "all" or (self.comply == "benign" and not row.example.harmful)
        answer = complying(row) if meant else None
        return (*asked, Goal(prompts.multimodal_prompt(adapter, row.extraction), answer)) if answer else asked


def complying(row: PreparedExample) -> str | None:
    """Return the first sentence of the answer that does what the row asks: the rejected one of a harmful row."""
    text = row.example
    answer = text.rejected if text.harmful else text.chosen or text.response
    begin = LIST_NUMBER.sub("", (answer or "").strip().split("\n")[0])
    for end in (". ", "! ", "? "):
        begin = begin.split(end)[0] + end.strip() if end in begin else begin
    return begin or None
