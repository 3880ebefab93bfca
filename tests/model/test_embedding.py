"""Embeddings: their scale, their noise, and how they pass through the keywords of a call."""

from __future__ import annotations

import torch

from sea_core.model.embedding import Embedding, stack, unstack


def test_rms_is_the_root_mean_square_and_one_for_zeros() -> None:
    assert Embedding(torch.tensor([[3.0, 4.0]])).rms == torch.tensor(12.5).sqrt().item()
    assert Embedding(torch.zeros(2, 3)).rms == 1.0


def test_perturbed_keeps_the_grid_and_is_the_same_on_every_call() -> None:
    zeros = Embedding(torch.zeros(4, 3), (1, 2, 2))
    perturbed = zeros.perturbed()
    assert perturbed.grid == zeros.grid
    assert torch.equal(perturbed.features, zeros.perturbed().features)
    assert (perturbed.features != zeros.features).all()


def test_unstack_undoes_stack() -> None:
    embeddings = [Embedding(torch.rand(2, 3), (1, 1, 2)), Embedding(torch.rand(4, 3), (1, 2, 2))]
    for embedding, unstacked in zip(embeddings, unstack(**stack(embeddings)), strict=True):
        assert torch.equal(embedding.features, unstacked.features)
        assert embedding.grid == unstacked.grid
