"""What a recipe is: a way to synthesise embeddings with settings of its own, on the same engine."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt

from sea_core.config import Config, validate
from sea_core.data.examples import Goal, PreparedExample
from sea_core.model.adapter import Adapter

if TYPE_CHECKING:
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True)
class RecipeContext:
    """What recipes can use: the frozen model, the E of the blank, and real embeddings of benign media."""

    mllm: MLLM
    blank: Embedding
    benign: Sequence[Embedding] = field(default=())


class RecipeNotSupported(Exception):
    """A recipe cannot be used with this model; the message says why. Its examples fail with that reason."""


@dataclass(frozen=True)
class Recipe(Config, ABC):
    """One way to synthesise embeddings. Its fields are settings: `-o noise.strength=0.2`.

    Class attributes:
        name: what the user types, and what records contain.
        needs_media: whether it needs benign media (`--benign-media`).
    """

    lr: Annotated[float, Gt(0)] = 1.0
    """Step size, as a multiple of `lr`."""
    steps: Annotated[float, Gt(0)] = 1.0
    """Maximum number of updates, as a multiple of `steps`."""

    name: ClassVar[str]
    needs_media: ClassVar[bool] = False

    def __post_init__(self) -> None:
        validate(self, self.name)

    def goals(self, adapter: Adapter, example: PreparedExample) -> tuple[Goal, ...]:
        """Return the goals of an example's embedding."""
        return example.goals

    def parametrize(self, context: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        """Do what is done once per run, and return a function from an example to the parametrisation of its E.

        Raises:
            RecipeNotSupported: the recipe cannot be used with this model.
        """
        from sea_core.optimization.engine.parametrization import Parametrization

        parametrization = Parametrization(lr=self.lr, steps=self.steps)
        return lambda example: parametrization
