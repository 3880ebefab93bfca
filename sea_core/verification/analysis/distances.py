"""Distances between an embedding and real ones. Each embedding is reduced to its mean feature vector, because the
numbers of features may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding


@dataclass(frozen=True, eq=False)
class EmbeddingSummary:
    """The mean feature vector of an embedding, (d_encoder,) in fp64, and the mean norm of its features."""

    mean: Tensor
    norm: float


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances of one embedding to a set of real ones. A value that is undefined is None.

    Attributes:
        norm_ratio: the mean norm of its features over that of the real embeddings.
        cosine_nearest: cosine between its mean and that of the nearest real embedding.
        cosine_mean: cosine between its mean and the mean of all real means.
        centred_cosine: the largest cosine after subtracting the mean of the real means from both sides. Undefined if
            there is only one real embedding.
        nearest: index of the nearest real embedding.
    """

    norm_ratio: float | None
    cosine_nearest: float | None
    cosine_mean: float | None
    centred_cosine: float | None
    nearest: int


def summarise(embedding: Embedding) -> EmbeddingSummary:
    """Return what the distances need of an embedding."""
    features = embedding.features.detach().cpu().double()
    return EmbeddingSummary(features.mean(0), features.norm(dim=1).mean().item())


class ReferenceSet:
    """The real embeddings that others are compared with."""

    def __init__(self, summaries: Sequence[EmbeddingSummary]) -> None:
        self.means = torch.stack([summary.mean for summary in summaries])
        self.centre = self.means.mean(0)
        self.norm = sum(summary.norm for summary in summaries) / len(summaries)

    def distances(self, summary: EmbeddingSummary) -> Distances:
        """Return the distances of an embedding to this set."""
        cosines = _cosines(summary.mean, self.means)
        return Distances(
            norm_ratio=summary.norm / self.norm if self.norm else None,
            cosine_nearest=_largest(cosines),
            cosine_mean=_largest(_cosines(summary.mean, self.centre[None])),
            centred_cosine=_largest(_cosines(summary.mean - self.centre, self.means - self.centre)),
            nearest=int(cosines.nan_to_num(-2).argmax()),
        )


def _cosines(vector: Tensor, others: Tensor) -> Tensor:
    """Return the cosine of a vector (d,) to each of (n, d) others: (n,); NaN where one of the two is zero."""
    norms: Tensor = others.norm(dim=1) * vector.norm()
    return others @ vector / norms


def _largest(cosines: Tensor) -> float | None:
    defined = cosines[~cosines.isnan()]
    return defined.max().item() if len(defined) else None
