"""`subspace` and `benign-start`, with real benign media given: E stays where real embeddings lie, or starts at one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt
from torch import Generator, Tensor

from sea_core.data.examples import PreparedExample
from sea_core.errors import DataError
from sea_core.model.embedding import Embedding
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext


@dataclass(frozen=True)
class SubspaceRecipe(Recipe):
    """Each row of E is the mean row of the benign media plus a combination of their principal directions."""

    directions: Annotated[int, Gt(0)] = 64
    """How many directions; fewer where the encoder is narrower."""

    name: ClassVar[str] = "subspace"
    needs_media: ClassVar[bool] = True

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        rows = torch.cat([e.features for e in usable(material)])
        mean, basis = principal(rows, self.directions)
        # Fewer numbers carry the step: larger ones make it as long as a step of E.
        pace = self.lr * (rows.shape[1] / len(basis)) ** 0.5
        variation = SubspaceParametrization(lr=pace, steps=self.steps, mean=mean, basis=basis)
        return lambda row: variation


@dataclass(frozen=True)
class BenignStartRecipe(Recipe):
    """Each embedding starts at the embedding of a benign medium, drawn by seed."""

    name: ClassVar[str] = "benign-start"
    needs_media: ClassVar[bool] = True

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        variation = FixedStartParametrization(lr=self.lr, steps=self.steps, starts=usable(material))
        return lambda row: variation


@dataclass(frozen=True, eq=False, kw_only=True)
class SubspaceParametrization(Parametrization):
    """E = mean + C V: `mean` (d_encoder,), V the `basis` (directions, d_encoder), and C is trained."""

    mean: Tensor
    basis: Tensor

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        return (start - self.mean) @ self.basis.T

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        return self.mean + leaf @ self.basis


@dataclass(frozen=True, eq=False, kw_only=True)
class FixedStartParametrization(Parametrization):
    """`starts`: embeddings with as many rows as the blank's."""

    starts: Sequence[Embedding]

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        index = int(torch.randint(len(self.starts), (1,), generator=rng, device=rng.device))
        return self.starts[index].features.to(start).clone()


def principal(rows: Tensor, directions: int) -> tuple[Tensor, Tensor]:
    """Return the mean of rows (n, d), and their first principal directions, (directions, d), orthonormal."""
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    _, vectors = torch.linalg.eigh(covariance.double())
    return mean, vectors.flip(1)[:, :directions].T.to(rows).contiguous()


def usable(material: RecipeContext) -> list[Embedding]:
    """Return the benign embeddings in the blank's size: cut, or with the blank's rows behind theirs.

    Raises:
        DataError: none lies on the blank's grid.
    """
    start = material.start
    found = []
    for e in material.benign:
        if e.grid == start.grid:
            rows = e.features.to(start.features)[: len(start)]
            found.append(start.with_features(torch.cat([rows, start.features[len(rows) :]])))
    if not found:
        raise DataError(
            f"none of the {len(material.benign)} benign media is of the blank's size {start.grid}",
            hint="Give media of that size, or another size of the blank (-o adapter.…; see the plugin's README).",
        )
    return found
