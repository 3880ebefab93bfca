"""One compiled graph for all layers of the decoder, all numbers of rows and all lengths.

`torch.compile(decoder)` makes a graph for each number of rows and each shape, a minute apiece. Here the layers but the
last stay in transformers' own loop, each as a call of one compiled function, whose graph has symbolic sizes. A layer is
given the prefix's keys and values as plain tensors, because a cache is guarded layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from subprocess import SubprocessError
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import one_line
from sea_core.optimization.engine.attention_op import ATTENTION_NAME, operator_attention
from sea_core.optimization.engine.pruned_attention import REQUIRED_KEYWORDS, TextOnlyLastLayer, takes_keywords

BACKEND = "inductor"
COMPILE_ERRORS = (RuntimeError, ImportError, OSError, AttributeError, NotImplementedError, SubprocessError)
"""What compiling raises where there is no compiler, no Triton, too little memory, an old torch, or a layer it cannot
trace. All errors of torch's compiler are RuntimeErrors."""
PASSED_ON = REQUIRED_KEYWORDS | {"position_ids", "use_cache"}
"""What transformers' loop gives a layer. `position_ids` are contained in `position_embeddings`."""


class CompileNotSupported(RuntimeError):
    """This decoder cannot be compiled as one layer; the message says why, for people."""


class PrefixCache:
    """A cache of one layer that is only read: the prefix's keys and values in front of the new ones."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values

    def update(self, keys: Tensor, values: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        rows = keys.shape[0]
        return (
            torch.cat([self.keys.expand(rows, -1, -1, -1), keys], dim=2),
            torch.cat([self.values.expand(rows, -1, -1, -1), values], dim=2),
        )


def run_layer(
    layer: nn.Module, hidden: Tensor, mask: Tensor, cos: Tensor, sin: Tensor, prefix: tuple[Tensor, Tensor] | None
) -> Any:
    """Run one layer: the function that is compiled."""
    return layer(
        hidden,
        attention_mask=mask,
        position_embeddings=(cos, sin),
        past_key_values=PrefixCache(*prefix) if prefix else None,
        use_cache=False,
    )


class CompiledLayer(nn.Module):
    """A layer of the decoder, run by a compiled function that all layers share."""

    def __init__(self, layer: nn.Module, prefix: tuple[Tensor, Tensor] | None, function: Callable[..., Any]) -> None:
        super().__init__()
        self.layer, self.prefix, self.function = layer, prefix, function

    def forward(self, hidden_states: Tensor, **kwargs: Any) -> Any:
        if unknown := {name for name, value in kwargs.items() if value is not None} - PASSED_ON:
            raise CompileNotSupported(f"its layers take {' and '.join(sorted(unknown))}")
        mask, (cos, sin) = kwargs["attention_mask"], kwargs["position_embeddings"]
        torch._dynamo.decorators.mark_unbacked(hidden_states, 0)
        lengths = ((hidden_states, 1), (mask, 2), (mask, 3), (cos, cos.ndim - 2), (sin, sin.ndim - 2))
        for tensor, dim in lengths:
            torch._dynamo.maybe_mark_dynamic(tensor, dim)
        return self.function(self.layer, hidden_states, mask, cos, sin, self.prefix)


class CompiledLayers:
    """The layers of a decoder but the last, as calls of one compiled function.

    Args:
        prefix: keys and values of each layer's prefix; empty if there is none.

    Raises:
        CompileNotSupported: the layers do not have the form of transformers' own, or the attention is not sdpa.
    """

    def __init__(self, decoder: Any, prefix: Sequence[tuple[Tensor, Tensor]]) -> None:
        if (attention := getattr(decoder.config, "_attn_implementation", None)) != "sdpa":
            raise CompileNotSupported(f"its attention is {attention}, not sdpa")
        if TextOnlyLastLayer.wrap(decoder, 0) is None or not all(map(takes_keywords, decoder.layers)):
            raise CompileNotSupported("its layers do not have the form of transformers' own")
        function = torch.compile(_new_function(), backend=BACKEND, fullgraph=True)
        self.decoder = decoder
        self.layers = [
            CompiledLayer(layer, prefix[i] if prefix else None, function) for i, layer in enumerate(decoder.layers[:-1])
        ]

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Inside the block, the decoder runs the compiled layers, and attends through the operator."""
        from transformers import AttentionInterface

        AttentionInterface.register(ATTENTION_NAME, operator_attention)
        config, own_attention = self.decoder.config, self.decoder.config._attn_implementation
        config._attn_implementation = ATTENTION_NAME
        for i, layer in enumerate(self.layers):
            self.decoder.layers[i] = layer
        try:
            yield
        finally:
            config._attn_implementation = own_attention
            for i, layer in enumerate(self.layers):
                self.decoder.layers[i] = layer.layer


def describe_compile_error(error: BaseException) -> str:
    """Say in a line why compiling failed; torch's own messages have many."""
    if isinstance(error, CompileNotSupported):
        return str(error)
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    announced = 2 if lines[0].endswith(":") else 1
    return f"torch could not compile it: {one_line(' '.join(lines[:announced]))}"


def _new_function() -> FunctionType:
    """Return `run_layer` with code of its own: torch counts graphs by code, and stops compiling after eight."""
    return FunctionType(run_layer.__code__.replace(), run_layer.__globals__, run_layer.__name__)
