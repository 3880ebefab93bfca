"""The embedding E: what crosses the seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sea_core.errors import RunError
from sea_core.model.numerics import all_finite

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun

Grid = tuple[int, ...]

STACKED_KEYWORDS = ("sea_embeds", "sea_lengths", "sea_grids")
"""The keywords that `stack` returns."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The encoder's output E for one medium, or a synthetic tensor in its place. `len(e)` is n_features.

    Attributes:
        features: the feature vectors, (n_features, d_encoder).
        grid: how the vectors are arranged in the medium, such as (frames, height, width), if the language model's
            positions depend on it; its meaning is the adapter's. Empty for most families.
    """

    features: Tensor
    grid: Grid = ()

    @classmethod
    def of_size(cls, n_features: int, grid: Grid = ()) -> Embedding:
        """Return an embedding of a size without numbers: all that a prompt depends on."""
        return cls(torch.empty(n_features, 0), grid)

    def __len__(self) -> int:
        return len(self.features)

    def with_features(self, features: Tensor) -> Embedding:
        """Return other features on the same grid."""
        return Embedding(features, self.grid)

    @property
    def rms(self) -> float:
        """The root mean square of the features, the unit of step sizes; 1 if all are zero, as a blank's may be."""
        return self.features.square().mean().sqrt().item() or 1.0

    def perturbed(self) -> Embedding:
        """Return this embedding plus Gaussian noise of the same root mean square, the same noise on every call."""
        noise = torch.randn(self.features.shape, generator=torch.Generator().manual_seed(0)).to(self.features)
        return self.with_features(self.features + self.rms * noise)


def load_embedding(run: EmbeddingRun, embedding_id: str) -> Embedding:
    """Return a stored embedding. Raises RunError when there is none, it is corrupt, or not finite."""
    embedding = Embedding(*run.load(embedding_id))
    if not all_finite(embedding.features):
        raise RunError(
            f"the embedding {embedding_id!r} contains numbers that are not finite (NaN or infinity)",
            hint="Make the run again, in a new folder.",
            where=str(run.folder),
        )
    return embedding


def stack(embeddings: Sequence[Embedding]) -> dict[str, Tensor]:
    """Return embeddings as the keywords that a call of the backbone takes inside `seam.inject`."""
    return {
        "sea_embeds": torch.cat([e.features for e in embeddings]),
        "sea_lengths": torch.tensor([len(e) for e in embeddings]),
        "sea_grids": torch.tensor([e.grid for e in embeddings], dtype=torch.long),
    }


def unstack(sea_embeds: Tensor, sea_lengths: Tensor, sea_grids: Tensor | None = None) -> list[Embedding]:
    """Undo `stack`."""
    lengths = [int(n) for n in sea_lengths]
    grids = [()] * len(lengths) if sea_grids is None else [tuple(g) for g in sea_grids.tolist()]
    return [Embedding(part, grid) for part, grid in zip(torch.split(sea_embeds, lengths), grids, strict=True)]
