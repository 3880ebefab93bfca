"""`hidden`: early in the decoder, the medium's tokens resemble, on average, the tokens of the phrase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Gt

from sea_core.data.examples import PreparedExample
from sea_core.optimization.recipes.base import Recipe, RecipeContext

if TYPE_CHECKING:
    from sea_core.optimization.engine.parametrization import Parametrization

LAYER = 2


@dataclass(frozen=True)
class HiddenRecipe(Recipe):
    """An extra loss: the squared distance between the mean hidden states of the medium and of the phrase's text,
    relative to the squared norm of the text's."""

    strength: Annotated[float, Gt(0)] = 0.1
    """Weight of the extra loss. At 1, VSR of the bundled models was lower and more steps were needed."""
    layer: Annotated[int, Ge(0)] = LAYER
    """The decoder layer, counted from 0, whose input is compared. A number past the end means the last layer."""

    name: ClassVar[str] = "hidden"

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.optimization.parametrizations.hidden import HiddenParametrization, phrase_state, split_prompt

        mllm, start = context.mllm, context.blank

        def make(example: PreparedExample) -> Parametrization:
            before, medium = split_prompt(mllm, example.goals[0].prompt, start)
            return HiddenParametrization(
                lr=self.lr,
                steps=self.steps,
                mllm=mllm,
                start=start,
                ids=(*before, *medium),
                strength=self.strength,
                layer=self.layer,
                target=phrase_state(mllm, before, example.extraction.phrase, self.layer),
            )

        return make
