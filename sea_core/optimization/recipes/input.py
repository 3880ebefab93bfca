"""`input`: the encoder's input is trained through the frozen encoder, so that E = M(z) for some medium z."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sea_core.data.examples import PreparedExample
from sea_core.optimization.recipes.base import Recipe, RecipeContext

if TYPE_CHECKING:
    from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True)
class InputRecipe(Recipe):
    """The encoder's input is trained, from the blank's. It is not restricted to the range of real media."""

    name: ClassVar[str] = "input"

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        from sea_core.model.embedding import Embedding
        from sea_core.optimization.parametrizations.input import InputParametrization, find_trainable_input

        mllm = context.mllm
        inputs = mllm.media_inputs(["?"], [mllm.adapter.blank_input(mllm.processor)])
        name = find_trainable_input(context, inputs)
        # The engine's step size is in the units of E; this converts it to those of the input.
        lr = self.lr * Embedding(inputs[name].float()).rms / context.blank.rms
        parametrization = InputParametrization(lr=lr, steps=self.steps, mllm=mllm, inputs=inputs, name=name)
        return lambda example: parametrization
