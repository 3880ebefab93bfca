"""Capturing and injecting at the seam, on modules of a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sea_core import ModelError
from sea_core.model import seam
from sea_core.model.embedding import Embedding, stack

FIXED = [Embedding(torch.ones(1, 2))]
PLACEHOLDER = 7
IDS = torch.tensor([[PLACEHOLDER, 1]])
TEXT_ONLY = torch.tensor([[1]])


class Backbone(nn.Module):
    def forward(self, input_ids: Any = None, inputs_embeds: Any = None) -> Any:
        return input_ids if inputs_embeds is None else inputs_embeds


def splice(ids: Tensor, mask: Tensor | None, embeddings: Sequence[Embedding]) -> dict[str, Any] | None:
    return {"input_ids": None, "inputs_embeds": embeddings[0].features} if PLACEHOLDER in ids else None


def test_the_embeddings_of_a_call_or_fixed_ones_are_injected() -> None:
    backbone = Backbone()
    with seam.inject(backbone, splice):
        assert torch.equal(backbone(input_ids=IDS, **stack(FIXED)), FIXED[0].features)
        assert torch.equal(backbone(input_ids=IDS), IDS)
    with seam.inject(backbone, splice, FIXED):
        assert torch.equal(backbone(input_ids=IDS), FIXED[0].features)
    assert not backbone._forward_pre_hooks


def test_fixed_embeddings_are_repeated_for_beams() -> None:
    two = [Embedding(torch.zeros(1, 2)), Embedding(torch.ones(1, 2))]
    received: list[Sequence[Embedding]] = []

    def record(ids: Tensor, mask: Tensor | None, embeddings: Sequence[Embedding]) -> dict[str, Any] | None:
        received.append(embeddings)
        return splice(ids, mask, embeddings)

    backbone = Backbone()
    with seam.inject(backbone, record, two):
        backbone(input_ids=IDS.repeat(4, 1))
    assert list(received[0]) == [two[0], two[0], two[1], two[1]]


class NamelessBackbone(nn.Module):
    def forward(self, *inputs: Any) -> Any:
        return inputs[0]


def test_positional_arguments_are_matched_to_names() -> None:
    backbone = Backbone()
    with seam.inject(backbone, splice, FIXED):
        assert torch.equal(backbone(IDS), FIXED[0].features)


def test_positional_arguments_without_names_are_an_error_with_advice() -> None:
    backbone = NamelessBackbone()
    with pytest.raises(ModelError, match="positional arguments") as raised, seam.inject(backbone, splice, FIXED):
        backbone(IDS)
    assert "input_ids=input_ids" in raised.value.hint
    assert not backbone._forward_pre_hooks
    with seam.inject(backbone, splice):
        assert torch.equal(backbone(IDS), IDS)  # there is nothing to inject


@pytest.mark.parametrize(
    ("call", "fixed", "expected"),
    [
        ({"input_ids": TEXT_ONLY, **stack(FIXED)}, [], "no placeholder: media would be ignored"),
        ({"inputs_embeds": torch.ones(1, 1, 2), **stack(FIXED)}, [], "without input_ids"),
        ({"input_ids": TEXT_ONLY}, FIXED, "were given, but no prompt had a placeholder"),
    ],
)
def test_embeddings_that_would_be_ignored_are_an_error(call: Any, fixed: list[Embedding], expected: str) -> None:
    backbone = Backbone()
    with pytest.raises(ModelError, match=expected), seam.inject(backbone, splice, fixed):
        backbone(**call)
    assert not backbone._forward_pre_hooks


def test_capture_records_the_first_argument_however_it_is_passed() -> None:
    projector = nn.Linear(2, 2)
    features = torch.rand(3, 2)
    with seam.capture(projector) as captured:
        projector(features)
        projector(input=features)
    projector(features)
    assert [torch.equal(tensor, features) for tensor in captured] == [True, True]


def test_run_until_stops_at_the_module_and_keeps_the_graph() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    features = torch.rand(3, 2)
    reached = seam.run_until(second, lambda: second(first(features)))
    assert torch.equal(reached, first(features))
    assert reached.requires_grad
    assert not second._forward_pre_hooks
    with pytest.raises(ModelError, match="never called its Linear"):
        seam.run_until(second, lambda: first(features))


def test_pass_ends_where_something_has_crossed() -> None:
    projector, decoder, after = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    features = torch.rand(3, 2)

    def run(crosses: bool) -> list[Tensor]:
        return seam.crossing_tensors(
            projector, decoder, lambda: after(decoder(projector(features) if crosses else features))
        )

    with seam.called(nn.ModuleList([decoder, after])) as modules:
        assert [torch.equal(tensor, features) for tensor in run(True)] == [True]
        assert after not in modules
        assert run(False) == []
        assert after in modules
    assert not decoder._forward_pre_hooks
    assert not projector._forward_pre_hooks
