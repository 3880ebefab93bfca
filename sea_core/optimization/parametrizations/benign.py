"""E stays where real embeddings of benign media are, or starts at one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from sea_core.errors import DataError
from sea_core.model.embedding import Embedding
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import RecipeContext
from sea_core.runs.embedding_files import tensor_digest


@dataclass(frozen=True, eq=False, kw_only=True)
class SubspaceParametrization(Parametrization):
    """E = mean + C V, with the coefficients C trained.

    Attributes:
        mean: (d_encoder,).
        basis: V, (directions, d_encoder), orthonormal.
    """

    mean: Tensor
    basis: Tensor

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        return (start - self.mean) @ self.basis.T

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        return self.mean + parameter @ self.basis


@dataclass(frozen=True, eq=False, kw_only=True)
class FixedStartParametrization(Parametrization):
    """E itself, from one of `starts`, which have as many vectors as the blank's.

    Attributes:
        digests: of the real embeddings that the starts were made from.
    """

    starts: Sequence[Embedding]
    digests: Sequence[str]

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        return self.starts[self._draw(rng)].features.to(start).clone()

    def start_digest(self, rng: Generator) -> str:
        return self.digests[self._draw(rng)]

    def _draw(self, rng: Generator) -> int:
        return int(torch.randint(len(self.starts), (1,), generator=rng, device=rng.device))


def fit_subspace(context: RecipeContext, directions: int, *, lr: float, steps: float) -> SubspaceParametrization:
    """Return the parametrisation in at most `directions` principal directions of the benign media.

    Args:
        lr, steps: the recipe's, as multiples of the engine's.

    Raises:
        DataError: no benign medium has the blank's grid.
    """
    vectors = torch.cat([e.features for e in fit_to_blank(context)])
    mean, basis = principal_directions(vectors, directions)
    # Fewer numbers are trained, so each must move further for E to move as far.
    lr = lr * (vectors.shape[1] / len(basis)) ** 0.5
    return SubspaceParametrization(lr=lr, steps=steps, mean=mean, basis=basis)


def start_at_benign(context: RecipeContext, *, lr: float, steps: float) -> FixedStartParametrization:
    """Return the parametrisation that starts at one of the benign media. Raises DataError if none has its grid."""
    digests = [tensor_digest(e.features.cpu()) for e in of_blank_size(context)]
    return FixedStartParametrization(lr=lr, steps=steps, starts=fit_to_blank(context), digests=digests)


def principal_directions(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the mean of vectors (n, d), and their first `count` principal directions, (count, d), orthonormal."""
    mean = vectors.mean(0)
    covariance = (vectors - mean).T @ (vectors - mean) / len(vectors)
    if covariance.device.type == "mps":  # has neither fp64 nor eigenvectors
        covariance = covariance.cpu()
    _, eigenvectors = torch.linalg.eigh(covariance.double())
    return mean, eigenvectors.flip(1)[:, :count].T.to(vectors).contiguous()


def fit_to_blank(context: RecipeContext) -> list[Embedding]:
    """Return the benign embeddings in the blank's size: truncated, or filled up with the blank's last vectors.

    Raises:
        DataError: none has the blank's grid.
    """
    start = context.blank
    fitted = []
    for e in of_blank_size(context):
        features = e.features.to(start.features)[: len(start)]
        fitted.append(start.with_features(torch.cat([features, start.features[len(features) :]])))
    return fitted


def of_blank_size(context: RecipeContext) -> list[Embedding]:
    """Return the benign embeddings that have the blank's grid. Raises DataError if none has."""
    found = [e for e in context.benign if e.grid == context.blank.grid]
    if not found:
        raise DataError(
            f"none of the {len(context.benign)} benign media has the blank's size {context.blank.grid}",
            hint="Give media of that size, or another size of the blank (-o adapter.…; see the plugin's README).",
        )
    return found
