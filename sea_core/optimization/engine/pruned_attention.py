"""What a packed sequence can leave out without changing a number: products that the mask throws away, and rows of the
last layer that nobody reads.

The library multiplies every query with every key and masks nearly half of the products; and only the texts' rows of the
last layer reach the head, so of the media's it needs no more than keys and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

NAME = "sea_blocks"
"""What the library calls this attention while it is used."""
BLOCK = 256
"""Queries at a time: fewer make small products, more make products for the mask."""
REQUIRED_KEYWORDS = {"attention_mask", "position_embeddings", "past_key_values"}
"""What a layer must take by name for `Last` to run it on some of its rows."""


class StopAfterKV(Exception):
    """Keys and values are in the cache, and nothing else is wanted."""


class StopOnCacheWrite:
    """A cache in front of a layer that may stop as soon as it has left its keys and values there."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def update(self, *args: Any, **more: Any) -> None:
        self.cache.update(*args, **more)
        raise StopAfterKV


class TextOnlyLastLayer(nn.Module):
    """The last layer, on the texts alone. The media, the first `lead` rows, leave keys and values in the cache."""

    def __init__(self, layer: nn.Module, lead: int) -> None:
        super().__init__()
        self.layer, self.lead = layer, lead

    @classmethod
    def of(cls, decoder: Any, lead: int) -> TextOnlyLastLayer | None:
        """Return it for a decoder of the library's form, None for another, whose last layer runs as it is."""
        layers = getattr(decoder, "layers", None)
        if (
            not isinstance(layers, nn.ModuleList)
            or not signature(layers[-1].forward).parameters.keys() >= REQUIRED_KEYWORDS
        ):
            return None
        return cls(layers[-1], lead)

    def forward(self, hidden_states: Tensor, **told: Any) -> Any:
        texts = hidden_states.shape[1] - self.lead
        leaving = told | {"past_key_values": StopOnCacheWrite(told["past_key_values"])}
        with suppress(StopAfterKV):
            self._run(hidden_states, slice(0, self.lead), told["attention_mask"].shape[-1] - texts, leaving)
        return self._run(hidden_states, slice(self.lead, None), None, told)

    def _run(self, hidden_states: Tensor, rows: slice, keys: int | None, told: dict[str, Any]) -> Any:
        cut = {
            "attention_mask": told["attention_mask"][:, :, rows, :keys],
            "position_embeddings": tuple(angle[..., rows, :] for angle in told["position_embeddings"]),
        }
        if told.get("position_ids") is not None:
            cut["position_ids"] = told["position_ids"][..., rows]
        return self.layer(hidden_states[:, rows], **told | cut)


@contextmanager
def pruned(decoder: Any, last: TextOnlyLastLayer | None) -> Iterator[None]:
    """Inside the block, let the decoder attend in blocks, where its attention is sdpa, and end with `last`.

    It must be given a cache, and a mask over all queries and keys. It returns the texts' rows, or all where `last` is
    None.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    config, own = decoder.config, decoder.config._attn_implementation
    if own == "sdpa":
        config._attn_implementation = NAME
    if last is not None:
        decoder.layers[-1] = last
    try:
        yield
    finally:
        config._attn_implementation = own
        if last is not None:
            decoder.layers[-1] = last.layer


def attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor, **more: Any
) -> tuple[Tensor, None]:
    """Return what the library's sdpa returns under a mask that is causal: (batch, queries, heads, width).

    The last queries are those of the last keys. A block of queries is given the keys up to its own last one.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    sdpa = ALL_ATTENTION_FUNCTIONS["sdpa"]
    groups = query.shape[1] // key.shape[1]
    if groups > 1:  # once, where sdpa would do it, and keep it, for each block
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    length, ahead = query.shape[2], key.shape[2] - query.shape[2]
    parts = []
    for begin in range(0, length, BLOCK):
        end = min(begin + BLOCK, length)
        seen = slice(0, ahead + end)
        mask = attention_mask[:, :, begin:end, seen]
        parts.append(sdpa(NO_GQA_MODULE, query[:, :, begin:end], key[:, :, seen], value[:, :, seen], mask, **more)[0])
    return torch.cat(parts, dim=1), None


NO_GQA_MODULE = nn.Module()
"""Stands for the attention's module, of which sdpa only asks whether keys are shared by groups of heads."""
