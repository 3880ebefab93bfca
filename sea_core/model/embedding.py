"""What crosses the seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun

Grid = tuple[int, ...]

STACKED_KEYWORDS = ("sea_embeds", "sea_lengths", "sea_grids")
"""The keywords of `stack`."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """An encoder's output E for one medium, or a synthetic one in its place.

    Attributes:
        rows: (n_rows, d_encoder).
        grid: how the rows lie in the medium, where the language model's positions depend on it; the adapter says what
            it means (frames, height, width). Empty for most families.
    """

    features: Tensor
    grid: Grid = ()

    def __len__(self) -> int:
        return len(self.features)

    def with_features(self, rows: Tensor) -> Embedding:
        """Return other rows on the same grid."""
        return Embedding(rows, self.grid)

    @property
    def rms(self) -> float:
        """The root mean square of the rows: what a step is measured in. 1 where all are zero, as a blank's may be."""
        return self.features.square().mean().sqrt().item() or 1.0

    def perturbed(self) -> Embedding:
        """Return another embedding of the same scale: this one with noise, the same on every call."""
        noise = torch.randn(self.features.shape, generator=torch.Generator().manual_seed(0)).to(self.features)
        return self.with_features(self.features + self.rms * noise)


def load_embedding(run: EmbeddingRun, embedding_id: str) -> Embedding:
    """Return a stored embedding. Raises RunError when there is none, or it is corrupt."""
    return Embedding(*run.load(embedding_id))


def stack(embeddings: Sequence[Embedding]) -> dict[str, Tensor]:
    """Return embeddings as the keywords that a call of the backbone takes inside `seam.replaced`."""
    return {
        "sea_embeds": torch.cat([e.features for e in embeddings]),
        "sea_lengths": torch.tensor([len(e) for e in embeddings]),
        "sea_grids": torch.tensor([e.grid for e in embeddings], dtype=torch.long),
    }


def unstack(sea_embeds: Tensor, sea_lengths: Tensor, sea_grids: Tensor | None = None) -> list[Embedding]:
    """Undo `stack`."""
    lengths = [int(n) for n in sea_lengths]
    grids = [()] * len(lengths) if sea_grids is None else [tuple(g) for g in sea_grids.tolist()]
    return [Embedding(rows, grid) for rows, grid in zip(torch.split(sea_embeds, lengths), grids, strict=True)]
