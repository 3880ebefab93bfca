"""Leave out of a packed forward pass what its results do not depend on; no number changes.

transformers multiplies every query with every key and masks nearly half of the products. Here queries are processed in
blocks, each with the keys up to its own last one. And of the last layer only the text positions reach the head, so of
the media positions it needs keys and values only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

ATTENTION_NAME = "sea_blocks"
"""The name under which `block_attention` is registered with transformers."""
BLOCK_SIZE = 256
"""Queries per block: fewer make small matrix products, more compute masked products."""
REQUIRED_KEYWORDS = {"attention_mask", "position_embeddings", "past_key_values"}
"""What a layer must take by name for `TextOnlyLastLayer` to run it on some of its positions."""


def takes_keywords(layer: nn.Module) -> bool:
    """Return whether a layer takes by name what transformers' own layers take."""
    return signature(layer.forward).parameters.keys() >= REQUIRED_KEYWORDS


class StopAfterKV(Exception):
    """Ends a layer's forward pass once its keys and values are in the cache."""


class StopOnCacheWrite:
    """A cache that raises StopAfterKV as soon as keys and values have been written to it."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.cache.update(*args, **kwargs)
        raise StopAfterKV


class TextOnlyLastLayer(nn.Module):
    """The last layer, run on the text positions only; the first `n_media` positions get keys and values, no output."""

    def __init__(self, layer: nn.Module, n_media: int) -> None:
        super().__init__()
        self.layer, self.n_media = layer, n_media

    @classmethod
    def wrap(cls, decoder: Any, n_media: int) -> TextOnlyLastLayer | None:
        """Return the decoder's last layer wrapped, or None if its layers do not have the form of transformers' own."""
        layers = getattr(decoder, "layers", None)
        if not isinstance(layers, nn.ModuleList) or not takes_keywords(layers[-1]):
            return None
        return cls(layers[-1], n_media)

    def forward(self, hidden_states: Tensor, **kwargs: Any) -> Any:
        texts = hidden_states.shape[1] - self.n_media
        with_stop = kwargs | {"past_key_values": StopOnCacheWrite(kwargs["past_key_values"])}
        with suppress(StopAfterKV):
            keys = kwargs["attention_mask"].shape[-1] - texts
            self._run_layer(hidden_states, slice(0, self.n_media), keys, with_stop)
        return self._run_layer(hidden_states, slice(self.n_media, None), None, kwargs)

    def _run_layer(self, hidden_states: Tensor, positions: slice, keys: int | None, kwargs: dict[str, Any]) -> Any:
        """Run the layer on some positions, which attend to the first `keys` keys (None: to all)."""
        selected = {
            "attention_mask": kwargs["attention_mask"][:, :, positions, :keys],
            "position_embeddings": tuple(angles[..., positions, :] for angles in kwargs["position_embeddings"]),
        }
        if kwargs.get("position_ids") is not None:
            selected["position_ids"] = kwargs["position_ids"][..., positions]
        return self.layer(hidden_states[:, positions], **kwargs | selected)


@contextmanager
def pruned(decoder: Any, last_layer: TextOnlyLastLayer | None, *, in_blocks: bool = True) -> Iterator[None]:
    """Inside the block, let the decoder end with `last_layer`, and, if its attention is sdpa, attend in blocks.

    The decoder must be given a cache, and a mask over all queries and keys. It returns the text positions only, or all
    positions if `last_layer` is None.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION_NAME, block_attention)
    config, own_attention = decoder.config, decoder.config._attn_implementation
    if in_blocks and own_attention == "sdpa":
        config._attn_implementation = ATTENTION_NAME
    if last_layer is not None:
        decoder.layers[-1] = last_layer
    try:
        yield
    finally:
        config._attn_implementation = own_attention
        if last_layer is not None:
            decoder.layers[-1] = last_layer.layer


def block_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor, **kwargs: Any
) -> tuple[Tensor, None]:
    """Return what transformers' sdpa attention returns under a causal mask: (batch, queries, heads, head size).

    The queries belong to the last positions of the keys.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    sdpa = ALL_ATTENTION_FUNCTIONS["sdpa"]
    groups = query.shape[1] // key.shape[1]
    if groups > 1:  # once here; sdpa would repeat them for each block, and keep each copy
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    n_queries, n_before = query.shape[2], key.shape[2] - query.shape[2]
    outputs = []
    for begin in range(0, n_queries, BLOCK_SIZE):
        end = min(begin + BLOCK_SIZE, n_queries)
        keys = slice(0, n_before + end)
        mask = attention_mask[:, :, begin:end, keys]
        block = sdpa(NO_GQA_MODULE, query[:, :, begin:end], key[:, :, keys], value[:, :, keys], mask, **kwargs)[0]
        outputs.append(block)
    return torch.cat(outputs, dim=1), None


NO_GQA_MODULE = nn.Module()
"""Passed to sdpa as its attention module, of which it only reads whether heads share keys: here they do not."""
