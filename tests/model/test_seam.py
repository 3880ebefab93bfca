"""Replacing what crosses the seam, on modules small enough to see through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sea_core import ModelError
from sea_core.model import seam
from sea_core.model.embedding import Embedding, stack

HELD = [Embedding(torch.ones(1, 2))]
IDS = torch.tensor([[7, 1]])


class Backbone(nn.Module):
    def forward(self, input_ids: Any = None, inputs_embeds: Any = None) -> Any:
        return input_ids if inputs_embeds is None else inputs_embeds


def splice(ids: Tensor, mask: Tensor | None, embeddings: Sequence[Embedding]) -> dict[str, Any] | None:
    return {"input_ids": None, "inputs_embeds": embeddings[0].features} if 7 in ids else None


def test_embeddings_of_the_call_or_held_take_the_place() -> None:
    backbone = Backbone()
    with seam.inject(backbone, splice):
        assert torch.equal(backbone(input_ids=IDS, **stack(HELD)), HELD[0].features)
        assert torch.equal(backbone(input_ids=IDS), IDS)
    with seam.inject(backbone, splice, HELD):
        assert torch.equal(backbone(input_ids=IDS), HELD[0].features)
    assert not backbone._forward_pre_hooks


def test_backbone_called_with_positions_is_refused_with_advice() -> None:
    backbone = Backbone()
    with pytest.raises(ModelError, match="positional arguments") as refusal, seam.inject(backbone, splice, HELD):
        backbone(IDS)
    assert "input_ids=input_ids" in refusal.value.hint
    assert not backbone._forward_pre_hooks
    with seam.inject(backbone, splice):
        assert torch.equal(backbone(IDS), IDS)  # nothing to replace


@pytest.mark.parametrize(
    ("call", "held", "told"),
    [
        ({"input_ids": torch.tensor([[1]]), **stack(HELD)}, [], "no placeholder: media would be ignored"),
        ({"inputs_embeds": torch.ones(1, 1, 2), **stack(HELD)}, [], "without input_ids"),
        ({"input_ids": torch.tensor([[1]])}, HELD, "were given, but no prompt had a placeholder"),
    ],
)
def test_media_that_would_be_ignored_are_refused(call: Any, held: list[Embedding], told: str) -> None:
    backbone = Backbone()
    with pytest.raises(ModelError, match=told), seam.inject(backbone, splice, held):
        backbone(**call)
    assert not backbone._forward_pre_hooks


def test_read_takes_the_first_argument_however_it_is_given() -> None:
    projector = nn.Linear(2, 2)
    rows = torch.rand(3, 2)
    with seam.capture(projector) as crossed:
        projector(rows)
        projector(input=rows)
    projector(rows)
    assert [torch.equal(one, rows) for one in crossed] == [True, True]
