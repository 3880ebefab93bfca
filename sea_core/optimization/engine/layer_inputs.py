"""What a decoder's layers are given besides the hidden states, and what they must be given in a packed sequence.

A tensor belongs to tokens if its size follows the sequence's length: in one dimension (positions, angles, a mask over a
medium's features), or in its last two (a mask over queries and keys).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from sea_core.model.seam import watched
from sea_core.optimization.engine.packed import PackingNotSupported

Path = tuple[str, str]
"""The name of an argument, and where in it a tensor is."""
LayerInputs = dict[Path, Tensor]
"""Tensors that a layer is given."""
LayerCall = tuple[tuple[Any, ...], dict[str, Any]]
MASK = "attention_mask"


@dataclass(frozen=True)
class Spans:
    """The lengths of a packed sequence's parts: the opening that all goals share, and the text of each goal."""

    opening: int
    texts: Sequence[int]

    @property
    def lengths(self) -> tuple[int, int]:
        """The length of the opening with the longest text alone, and with all texts."""
        return self.opening + max(self.texts), self.opening + sum(self.texts)


# --- read and replace -------------------------------------------------------------------------------------------------


@contextmanager
def recorded(layers: Sequence[nn.Module]) -> Iterator[list[LayerInputs]]:
    """Record what each layer is given inside the block, except the hidden states and what else has a graph."""
    inputs: list[LayerInputs] = [{} for _ in layers]
    causal = lru_cache(1)(_causal_mask)

    def recorder(layer: nn.Module, own: LayerInputs) -> Callable[[LayerCall], None]:
        def record(call: LayerCall) -> None:
            hidden, named = _by_name(layer, *call)
            own.update((path, leaf) for path, leaf in _leaves(named) if not leaf.requires_grad)
            if MASK in named and named[MASK] is None:  # the attention is causal by itself
                own[MASK, ""] = causal(hidden.shape[1], hidden.device)

        return record

    with ExitStack() as hooks:
        for layer, own in zip(layers, inputs, strict=True):
            hooks.enter_context(watched(layer, "input", recorder(layer, own)))
        yield inputs


@contextmanager
def given(layers: Sequence[nn.Module], inputs: Sequence[LayerInputs]) -> Iterator[None]:
    """Give each layer these tensors inside the block, in place of those that it is given."""

    def replacer(layer: nn.Module, own: LayerInputs) -> Callable[[LayerCall], LayerCall]:
        def replace(call: LayerCall) -> LayerCall:
            hidden, named = _by_name(layer, *call)
            return (hidden,), {name: _replaced(name, value, own) for name, value in named.items()}

        return replace

    with ExitStack() as hooks:
        for layer, own in zip(layers, inputs, strict=True):
            if own:
                hooks.enter_context(watched(layer, "input", replacer(layer, own)))
        yield


def _by_name(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Return the hidden states, which are a layer's first argument, and the other arguments by name."""
    names = list(signature(layer.forward).parameters)
    named = dict(zip(names, args, strict=False)) | kwargs
    return named.pop(names[0]), named


def _leaves(named: Mapping[str, Any]) -> Iterator[tuple[Path, Tensor]]:
    for name, value in named.items():
        for key, leaf in pytree.tree_flatten_with_path(value)[0]:
            if isinstance(leaf, Tensor):
                yield (name, pytree.keystr(key)), leaf


def _replaced(name: str, value: Any, own: LayerInputs) -> Any:
    if not any(path[0] == name for path in own):
        return value  # the same object: a layer may write into it
    if value is None:
        return own[name, ""]
    found, spec = pytree.tree_flatten_with_path(value)
    new = [own[path].expand_as(leaf) if (path := (name, pytree.keystr(key))) in own else leaf for key, leaf in found]
    return pytree.tree_unflatten(new, spec)


# --- pack -------------------------------------------------------------------------------------------------------------


def pack_inputs(separate: Sequence[LayerInputs], together: Sequence[LayerInputs], spans: Spans) -> list[LayerInputs]:
    """Return what each layer must be given in a packed sequence, where the model gives it something else.

    Args:
        separate: what it is given for the opening and one text, as long as the longest.
        together: what the model gives it for a packed sequence.

    Raises:
        PackingNotSupported: an input has an unknown form, or the opening attends to what follows it.
    """
    packed: dict[tuple[int, int], Tensor | None] = {}  # many layers share a tensor

    def pack_once(name: str, own: Tensor, other: Tensor) -> Tensor | None:
        key = (id(own), id(other))
        if key not in packed:
            packed[key] = _pack_unless_same(name, own, other, spans)
        return packed[key]

    layers = []
    for own, other in zip(separate, together, strict=True):
        for name, _ in own.keys() ^ other.keys():
            raise PackingNotSupported(f"its layers take {name} for sequences of some lengths only")
        new = {path: pack_once(path[0], tensor, other[path]) for path, tensor in own.items()}
        layers.append({path: tensor for path, tensor in new.items() if tensor is not None})
    return layers


def _pack_unless_same(name: str, own: Tensor, other: Tensor, spans: Spans) -> Tensor | None:
    packed = _pack(own, other, spans)
    if packed is None or packed.shape != other.shape:
        raise PackingNotSupported(f"its layers take {name}, which is neither a value for each token nor a mask")
    return None if torch.equal(packed, other) else packed


def _pack(own: Tensor, other: Tensor, spans: Spans) -> Tensor | None:
    """Pack one tensor; None if its dimensions follow the length in another way."""
    sizes = list(zip(own.shape, other.shape, strict=False))
    dims = [i for i, size in enumerate(sizes) if size == spans.lengths]
    if not dims:
        return own
    if len(dims) == 1:
        texts = [own.narrow(dims[0], spans.opening, length) for length in spans.texts]
        return torch.cat([own.narrow(dims[0], 0, spans.opening), *texts], dims[0])
    return _pack_mask(own, spans) if dims == [own.ndim - 2, own.ndim - 1] else None


def _pack_mask(own: Tensor, spans: Spans) -> Tensor:
    """Return the mask under which the text of each goal attends to the opening and to itself, as in `own`."""
    opening, length = spans.opening, spans.opening + sum(spans.texts)
    hidden = False if own.dtype == torch.bool else torch.finfo(own.dtype).min
    if (own[..., :opening, opening:] > hidden).any():
        raise PackingNotSupported("what comes before the goals' texts attends to them")
    packed = own.new_full((*own.shape[:-2], length, length), hidden)
    packed[..., :opening, :opening] = own[..., :opening, :opening]
    begin = opening
    for n in spans.texts:
        text, rows = slice(begin, begin + n), own[..., opening : opening + n, :]
        packed[..., text, :opening] = rows[..., :opening]
        packed[..., text, text] = rows[..., opening : opening + n]
        begin += n
    return packed


def _causal_mask(length: int, device: torch.device) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()[None, None]
