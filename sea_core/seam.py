"""The seam: the first argument of the projector's forward call. Read E there, or let P(E) cross in place of P(M(z)).

The only file that hooks torch modules. Both hooks open and close in a `with` block, whatever happens inside.

`replaced` hooks the backbone, not the outer model: trainers that fuse the language-model head call the backbone
directly, and an override of the outer forward would be skipped without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError


@contextmanager
def read(projector: nn.Module) -> Iterator[list[Tensor]]:
    """Record what crosses the seam: the list grows by one tensor for each call of the projector."""
    crossed: list[Tensor] = []

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        crossed.append(args[0] if args else next(iter(kwargs.values())))

    handle = projector.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield crossed
    finally:
        handle.remove()


@contextmanager
def replaced(
    backbone: nn.Module, splice: Callable[[Tensor, Sequence[Tensor]], Tensor | None], held: Sequence[Tensor] = ()
) -> Iterator[None]:
    """Run the language model on P(E) with the encoder skipped, for every call of the backbone inside the block.

    A call brings its own embeddings as keywords, `sea_embeds` (sum of n_rows, d_encoder) and `sea_lengths` (one n_rows
    per embedding); `generate()` lets no new keyword through, so there `held` is used for each call whose prompt has
    placeholders. `splice(input_ids, embeddings)` returns the merged token embeddings, None without placeholders.

    Raises:
        ModelError: embeddings came with a prompt that has no placeholders, so they would have been ignored.
    """

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        stacked, lengths = kwargs.pop("sea_embeds", None), kwargs.pop("sea_lengths", None)
        embeddings = held if stacked is None else torch.split(stacked, [int(n) for n in lengths])
        ids = kwargs.get("input_ids")
        if ids is None and stacked is not None:
            raise ModelError("embeddings were given without input_ids, so there is no place to put them")
        if ids is not None and len(embeddings):
            merged = splice(ids, embeddings)
            if merged is not None:
                kwargs.update(input_ids=None, inputs_embeds=merged)
            elif stacked is not None:
                raise ModelError("embeddings were given with a prompt that has no placeholder: media would be ignored")
        return args, kwargs

    handle = backbone.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
