"""Rates of a card that is not here."""

from __future__ import annotations

import pytest
import torch

from sea_core.model.cards import cards, get_card
from sea_core.optimization.compile_choice import matmul_ratio
from sea_core.optimization.hardware import Hardware


def on_card(name: str, dtype: torch.dtype = torch.bfloat16) -> Hardware:
    return Hardware.elsewhere(get_card(name), 24_000_000_000, dtype)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_measured_card_gets_its_own_rates(compiled: bool) -> None:
    """761 to 784 TFLOP/s in a large matrix product (docs/performance.md)."""
    measured = on_card("h200")
    assert measured.flop_per_second is not None
    assert 761e12 < measured.flop_per_second < 784e12
    assert measured.step_ratio(compiled) == pytest.approx(matmul_ratio("cuda", compiled))
    assert measured.basis == "measured on an NVIDIA H200 SXM"


def test_other_cards_are_scaled_and_say_so() -> None:
    for card in cards():
        hardware = on_card(card.name)
        assert hardware.flop_per_second == pytest.approx(card.bf16 * 1e12 * 0.78)
        assert 0.3 < hardware.step_ratio(compiled=True) < 1
        assert (card.name == "h200") != ("scaled by peak bf16 FLOP/s" in hardware.basis)


def test_what_moves_memory_is_scaled_by_the_bandwidth() -> None:
    """A step of 1 s on an H200 that is matrix products for .65 s, on a card with 1/10 of the peak and 1/5 of the
    bandwidth: 6.5 s of products and 1.75 s of the rest."""
    card, measured = get_card("3090"), get_card("h200")
    products = 0.65 * measured.bf16 / card.bf16
    rest = 0.35 * measured.bandwidth / card.bandwidth
    assert on_card("3090").step_ratio(compiled=True) == pytest.approx(products / (products + rest))


def test_what_is_not_known_is_not_guessed() -> None:
    assert on_card("3090", torch.float32).flop_per_second is None
    assert "bfloat16" in on_card("3090", torch.float32).basis
    nameless = Hardware.elsewhere(None, 24_000_000_000, torch.bfloat16)
    assert nameless.flop_per_second is None
    assert "--gpu" in nameless.basis
