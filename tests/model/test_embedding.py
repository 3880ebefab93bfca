"""What crosses the seam: its scale, its noise, its way through a call's keywords."""

from __future__ import annotations

import torch

from sea_core.model.embedding import Embedding, stack, unstack


def test_scale_is_the_root_mean_square_and_one_for_nothing() -> None:
    assert Embedding(torch.tensor([[3.0, 4.0]])).rms == torch.tensor(12.5).sqrt().item()
    assert Embedding(torch.zeros(2, 3)).rms == 1.0


def test_shaken_is_another_of_the_same_grid_and_the_same_every_time() -> None:
    flat = Embedding(torch.zeros(4, 3), (1, 2, 2))
    shaken = flat.perturbed()
    assert shaken.grid == flat.grid
    assert torch.equal(shaken.features, flat.perturbed().features)
    assert (shaken.features != flat.features).all()


def test_stack_and_back() -> None:
    given = [Embedding(torch.rand(2, 3), (1, 1, 2)), Embedding(torch.rand(4, 3), (1, 2, 2))]
    for one, back in zip(given, unstack(**stack(given)), strict=True):
        assert torch.equal(one.features, back.features)
        assert one.grid == back.grid
