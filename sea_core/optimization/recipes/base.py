"""What a recipe is: a way to make the embeddings of rows, with settings of its own, over the one engine."""

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
    """What recipes work with: the frozen model, the E that rows start from, and real embeddings of benign media."""

    mllm: MLLM
    start: Embedding
    benign: Sequence[Embedding] = field(default=())


class RecipeNotSupported(Exception):
    """This recipe cannot make embeddings for this model, and why. Its rows fail with the reason."""


@dataclass(frozen=True)
class Recipe(Config, ABC):
    """One way to make embeddings. Its fields are settings: `-o noise.strength=0.2`.

    Class attributes:
        name: what the user types, and the record says.
        media: whether it needs benign media (`--media`).
    """

    lr: Annotated[float, Gt(0)] = 1.0
    """Step size, as a multiple of `lr`."""
    steps: Annotated[float, Gt(0)] = 1.0
    """Maximum number of updates, as a multiple of `steps`."""

    name: ClassVar[str]
    needs_media: ClassVar[bool] = False

    def __post_init__(self) -> None:
        validate(self, self.name)

    def goals(self, adapter: Adapter, row: PreparedExample) -> tuple[Goal, ...]:
        """Return what an embedding of the row must make the model say."""
        return row.goals

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        """Do what is done once for a run, and return how each row's E is made.

        Raises:
            Unusable: it cannot be done with this model.
        """
        from sea_core.optimization.engine.parametrization import Parametrization

        variation = Parametrization(lr=self.lr, steps=self.steps)
        return lambda row: variation
