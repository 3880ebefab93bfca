"""What a family is, as far as a tiny checkpoint of it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, Any]
Part = tuple[str, Settings]
"""A class of transformers, and its arguments."""

VOCABULARY = "vocabulary"
"""In a configuration: the number of the tokenizer's tokens."""


@dataclass(frozen=True)
class Family:
    """A row of the table of families. In `config`, `id:TOKEN` becomes the id of a token."""

    model: str
    """The model's class."""
    config: Settings
    """The arguments of its configuration."""
    processor: str
    """The processor's class."""
    template: str
    """The chat template."""
    media: tuple[str, ...] = ("image",)
    """The modalities that the processor reads where `needs` is installed; videos need torchvision everywhere."""
    needs: str = ""
    """The library without which the processor reads none of them."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """The processor's parts beside the tokenizer, by their names in it."""
    arguments: Settings = field(default_factory=dict)
    """The other arguments of the processor."""
    tokens: tuple[str, ...] = ()
    """The special tokens of the family."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Special tokens that are attributes of the tokenizer."""
    fixed: Mapping[int, str] = field(default_factory=dict)
    """Special tokens whose ids the processor's class fixes."""
    unexpanded: tuple[str, int] | tuple[()] = ()
    """A placeholder and its number for a medium, where the processor itself takes no media."""
    subfolder_tokenizers: tuple[str, ...] = ()
    """Further tokenizers of the processor."""


def decoder(**more: Any) -> dict[str, Any]:
    """Return the configuration of a tiny language model."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "max_position_embeddings": 2048}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    tokens = {"vocab_size": VOCABULARY, "bos_token_id": "id:<s>", "eos_token_id": "id:</s>", "pad_token_id": "id:<pad>"}
    return sizes | heads | tokens | more


def encoder(**more: Any) -> dict[str, Any]:
    """Return the configuration of a tiny vision or audio transformer."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    return sizes | more


def square(side: int) -> dict[str, int]:
    """Return a size as image processors want it."""
    return {"height": side, "width": side}


def area(smallest: int, largest: int) -> dict[str, int]:
    """Return a size in pixels as the processors of dynamic resolution want it; the sides of two squares are given."""
    return {"shortest_edge": smallest**2, "longest_edge": largest**2}
