"""`goals`: the same content and style asked for in other wordings, and the row's own answer where it complies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sea_core import templates
from sea_core.adapter import Adapter
from sea_core.recipes.recipe import Recipe
from sea_core.rows import Goal, PreparedRow


@dataclass(frozen=True)
class Goals(Recipe):
    """More goals than two for each embedding. None of them has the wording of a held-out question."""

    comply: bool = True
    """Also ask what x_m asks, where the row has an answer that complies: its first sentence is the target."""

    name: ClassVar[str] = "goals"

    def goals(self, adapter: Adapter, row: PreparedRow) -> tuple[Goal, ...]:
        asked = (*row.goals, *templates.other_goals(adapter, row.extraction, row.style))
        answer = complying(row) if self.comply else None
        return (*asked, Goal(templates.multimodal_prompt(adapter, row.extraction), answer)) if answer else asked


def complying(row: PreparedRow) -> str | None:
    """Return the first sentence of the answer that does what the row asks: the rejected one of a harmful row."""
    text = row.row
    answer = text.rejected if text.harmful else text.chosen or text.response
    begin = (answer or "").strip().split("\n")[0]
    for end in (". ", "! ", "? "):
        begin = begin.split(end)[0] + end.strip() if end in begin else begin
    return begin or None
