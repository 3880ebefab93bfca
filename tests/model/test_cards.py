"""The table of cards."""

from __future__ import annotations

import pytest

from sea_core.errors import SeaError
from sea_core.model.cards import cards, get_card, parse_memory


def test_every_card_says_where_its_figures_are_from() -> None:
    found = list(cards())
    assert {"h200", "h100", "a100", "4090", "3090"} <= {card.name for card in found}
    for card in found:
        assert card.source, card.name
        assert 8 <= card.memory <= 200
        assert 30 < card.bf16 < 3000  # TFLOP/s
        assert 200 < card.bandwidth < 9000  # GB/s


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("h100", "h100"), ("h100-sxm", "h100"), ("H100 SXM5", "h100"), ("NVIDIA H100 80GB HBM3", "h100")),
        *(("NVIDIA H100 PCIe", "h100-pcie"), ("H200", "h200"), ("h200-sxm", "h200")),
        *(("a100-80gb", "a100"), ("NVIDIA A100-SXM4-80GB", "a100"), ("A100_40GB", "a100-40gb")),
        *(("NVIDIA A100 40GB", "a100-40gb"), ("a100-sxm4-40gb", "a100-40gb"), ("rtx-a6000", "a6000")),
        *(("RTX 4090", "4090"), ("rtx4090", "4090"), ("rtx-4090", "4090"), ("rtx_4090", "4090")),
        *(("NVIDIA GeForce RTX 3090", "3090"), ("MI300X", "mi300x"), ("AMD Instinct MI300X", "mi300x")),
    ],
)
def test_cards_are_found_as_people_write_them(typed: str, name: str) -> None:
    assert get_card(typed).name == name


@pytest.mark.parametrize("typed", ["A10G", "A100 80GB PCIe", "RTX 4090 Laptop GPU", "RTX 6000 Ada Generation"])
def test_a_card_of_other_rates_is_not_taken_for_one_that_is_known(typed: str) -> None:
    with pytest.raises(SeaError, match="there is no card"):
        get_card(typed)


def test_no_name_stands_for_two_cards() -> None:
    names = [name for card in cards() for name in card.names()]
    assert len(names) == len(set(names))


def test_an_unknown_card_names_the_nearest() -> None:
    with pytest.raises(SeaError, match="--gpu 24GB is an amount of memory") as error:
        get_card("24GB")
    assert error.value.hint == "Type: --memory 24GB"
    with pytest.raises(SeaError, match="there is no card '4091'") as error:
        get_card("4091")
    assert "'4090'" in str(error.value.hint)


@pytest.mark.parametrize(
    ("text", "size"), [("24GB", 24e9), ("24", 24e9), ("1.5 GiB", 1.5 * 2**30), ("800mb", 800e6), ("1TB", 1e12)]
)
def test_memory_is_parsed(text: str, size: float) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "24 parsecs", "-3GB", "0"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(SeaError, match="is not an amount of memory"):
        parse_memory(text)
