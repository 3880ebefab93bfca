"""The seam: the first argument of the projector's forward call. Read E there, or let P(E) cross in place of P(M(z)).

The only file that hooks torch modules. Hooks open and close in one small function, whatever happens inside.

`replaced` hooks the backbone, not the outer model: trainers that fuse the language-model head call the backbone
directly, and an override of the outer forward would be skipped without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import STACKED_KEYWORDS, Embedding, unstack


@contextmanager
def capture(projector: nn.Module) -> Iterator[list[Tensor]]:
    """Record what crosses the seam: the list grows by one tensor for each call of the projector."""
    crossed: list[Tensor] = []

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        crossed.append(args[0] if args else next(iter(kwargs.values())))

    handle = projector.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield crossed
    finally:
        handle.remove()


def run_until(module: nn.Module, run: Callable[[], Any]) -> Tensor:
    """Run a forward as far as `module`, and return what comes to it: the first argument of its call, with its graph.

    Raises:
        ModelError: the forward never called it.
    """

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        raise _StopForward(args[0] if args else next(iter(kwargs.values())))

    handle = module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        run()
    except _StopForward as stop:
        return stop.tensor
    finally:
        handle.remove()
    raise ModelError(f"the forward never called its {type(module).__name__}")


class _StopForward(Exception):
    """Leaves a forward where what was wanted is there. Never shown."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor


@contextmanager
def inject(
    backbone: nn.Module,
    splice: Callable[[Tensor, Tensor | None, Sequence[Embedding]], dict[str, Any] | None],
    fixed: Sequence[Embedding] = (),
) -> Iterator[None]:
    """Run the language model on P(E) with the encoder skipped, for every call of the backbone inside the block.

    A call brings its own embeddings as keywords (`embedding.stack`); `generate()` lets no new keyword through, so there
    `held` is used for each call whose prompt has placeholders: one embedding for each row, repeated as beam search
    repeats the rows. `splice(input_ids, attention_mask, embeddings)` returns the keywords that carry the merged token
    embeddings, None without placeholders.

    Raises:
        ModelError: no prompt had placeholders for the embeddings, so they would have been ignored.
    """
    used = False

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        nonlocal used
        own = {name: kwargs.pop(name) for name in STACKED_KEYWORDS if name in kwargs}
        ids = kwargs.get("input_ids")
        embeddings: Sequence[Embedding] = ()
        if own:
            embeddings = unstack(**own)
        elif fixed and ids is not None:
            embeddings = [e for e in fixed for _ in range(max(1, len(ids) // len(fixed)))]
        if args and (own or fixed):
            raise ModelError(
                "the model calls its backbone with positional arguments, so what they are cannot be told",
                hint="Call it with keywords: self.model(input_ids=input_ids, attention_mask=attention_mask, ...)",
            )
        if ids is None and own:
            raise ModelError("embeddings were given without input_ids, so there is no place to put them")
        if ids is not None and len(embeddings):
            merged = splice(ids, kwargs.get("attention_mask"), embeddings)
            if merged is not None:
                kwargs.update(merged)
                used = True
            elif own:
                raise ModelError("embeddings were given with a prompt that has no placeholder: media would be ignored")
        return args, kwargs

    handle = backbone.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
    if fixed and not used:
        raise ModelError("embeddings were held, but no prompt had a placeholder: media would be ignored")
