"""How an embedding lies beside real ones. Embeddings may differ in rows and grids: each counts by its mean row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding

DISTANCES = ("norm_ratio", "cosine_nearest", "cosine_mean", "centred_cosine")


@dataclass(frozen=True, eq=False)
class EmbeddingSummary:
    """An embedding's mean row, (d_encoder,) in fp64, and the mean norm of its rows."""

    mean: Tensor
    norm: float


def summarise(embedding: Embedding) -> EmbeddingSummary:
    """Return what the distances need of an embedding."""
    rows = embedding.features.detach().cpu().double()
    return EmbeddingSummary(rows.mean(0), rows.norm(dim=1).mean().item())


class ReferenceSet:
    """Real embeddings, to lay others beside."""

    def __init__(self, points: Sequence[EmbeddingSummary]) -> None:
        self.means = torch.stack([one.mean for one in points])
        self.centre = self.means.mean(0)
        self.norm = sum(one.norm for one in points) / len(points)

    def distances(self, one: EmbeddingSummary) -> dict[str, Any]:
        """Return the distances of an embedding, and the number of the nearest real one.

        norm_ratio: the mean norm of its rows over that of the real ones. cosine_nearest: to the mean row of the nearest
        real one. cosine_mean: to the mean of all these. centred_cosine: to the nearest, with the mean of the real ones
        taken away from both. A figure that is not defined (the only real one, less its own mean) is None.
        """
        cosines = _cosines(one.mean, self.means)
        centred = _cosines(one.mean - self.centre, self.means - self.centre)
        return {
            "norm_ratio": one.norm / self.norm if self.norm else None,
            "cosine_nearest": _largest(cosines),
            "cosine_mean": _largest(_cosines(one.mean, self.centre[None])),
            "centred_cosine": _largest(centred),
            "nearest": int(cosines.nan_to_num(-2).argmax()),
        }


def _cosines(one: Tensor, others: Tensor) -> Tensor:
    """Return the cosine to each of the others; NaN where one of the two is zero."""
    lengths: Tensor = others.norm(dim=1) * one.norm()
    return others @ one / lengths


def _largest(cosines: Tensor) -> float | None:
    defined = cosines[~cosines.isnan()]
    return defined.max().item() if len(defined) else None
