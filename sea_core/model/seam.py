"""The seam: the first argument of the projector's forward call. Capture E there, or inject P(E) in place of P(M(z)).

This is the only module that registers forward hooks on torch modules. Each hook is removed when its function or `with`
block ends, also after an error.

`inject` hooks the backbone, not the outer model: trainers that fuse the language-model head call the backbone
directly, so an override of the outer forward would silently be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any, Literal

from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import STACKED_KEYWORDS, Embedding, unstack

Merge = Callable[[Tensor, Tensor | None, Sequence[Embedding]], dict[str, Any] | None]
"""(input_ids, attention_mask, embeddings) -> the backbone's keywords for them; None without placeholders."""

MEDIA_ONLY_HINT = "It answers questions about media only, so that it cannot be warmed, aligned, or asked in plain text."


@contextmanager
def capture(projector: nn.Module) -> Iterator[list[Tensor]]:
    """Record what crosses the seam: the list grows by one tensor with each call of the projector."""
    captured: list[Tensor] = []

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        captured.append(_first_argument(args, kwargs))

    handle = projector.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield captured
    finally:
        handle.remove()


def crossing_tensors(projector: nn.Module, end: nn.Module, run: Callable[[], Any]) -> list[Tensor]:
    """Run a forward pass and return what crosses the seam, one tensor for each call of the projector.

    The pass ends where it calls `end`, if something has crossed by then: what comes after it is not run.
    """
    with capture(projector) as captured:

        def hook(_module: nn.Module, _args: tuple[Any, ...]) -> None:
            if captured:
                raise _StopForward(captured[0])

        handle = end.register_forward_pre_hook(hook)
        try:
            run()
        except _StopForward:
            pass
        finally:
            handle.remove()
    return captured


@contextmanager
def replace(projector: nn.Module, crossing: Tensor) -> Iterator[None]:
    """Let another tensor cross the seam: the projector's first argument is replaced, in every call."""

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if args:
            return (crossing, *args[1:]), kwargs
        return args, {**kwargs, next(iter(kwargs)): crossing}

    handle = projector.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def run_until(module: nn.Module, run: Callable[[], Any]) -> Tensor:
    """Run a forward pass until it calls `module`, and return the first argument of that call, with its graph.

    Raises:
        ModelError: the forward pass never called it.
    """

    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        raise _StopForward(_first_argument(args, kwargs))

    handle = module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        run()
    except _StopForward as stop:
        return stop.tensor
    finally:
        handle.remove()
    raise ModelError(f"the forward pass never called its {type(module).__name__}")


@contextmanager
def watched(module: nn.Module, side: Literal["input", "output"], use: Callable[[Any], Any]) -> Iterator[None]:
    """Call `use` with a module's `(args, kwargs)` or with its result; what `use` returns replaces it, unless None."""

    def before(_module: nn.Module, args: Any, kwargs: Any) -> Any:
        return use((args, kwargs))

    def after(_module: nn.Module, _args: Any, output: Any) -> Any:
        return use(output)

    if side == "input":
        handle = module.register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def called(model: nn.Module) -> Iterator[list[nn.Module]]:
    """Record which modules run: the list grows by each module that is called inside the block."""
    modules: list[nn.Module] = []
    handles = [
        module.register_forward_pre_hook(lambda module, _args: modules.append(module)) for module in model.modules()
    ]
    try:
        yield modules
    finally:
        for handle in handles:
            handle.remove()


class _StopForward(Exception):
    """Ends a forward pass early. Always caught in this module."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor


@contextmanager
def inject(backbone: nn.Module, merge: Merge, fixed: Sequence[Embedding] = ()) -> Iterator[None]:
    """Skip the encoder: inside the block, every call of the backbone runs the language model on P(E).

    A call brings its own embeddings as keywords (see `embedding.stack`). `generate()` does not pass on unknown
    keywords, so `fixed` is used for each call whose prompt has placeholders: one embedding per sequence, repeated as
    beam search repeats the sequences.

    Raises:
        ModelError: embeddings were given, but no prompt had placeholders, so they would have been ignored.
    """
    injected = False

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        nonlocal injected
        args, kwargs = _with_names(module, args, kwargs)
        own = {name: kwargs.pop(name) for name in STACKED_KEYWORDS if name in kwargs}
        ids = kwargs.get("input_ids")
        _check_call(args, ids, own=bool(own), fixed=bool(fixed))
        embeddings = unstack(**own) if own else _repeated(fixed, ids)
        if ids is not None and len(embeddings):
            merged = merge(ids, kwargs.get("attention_mask"), embeddings)
            if merged is not None:
                if not kwargs.get("mm_encoder_outputs", True):  # transformers' generate() passes an empty one
                    del kwargs["mm_encoder_outputs"]
                kwargs.update(merged)
                injected = True
            elif own:
                raise ModelError("embeddings were given with a prompt that has no placeholder: media would be ignored")
        _require_complete(module, args, kwargs)
        return args, kwargs

    handle = backbone.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
    if fixed and not injected:
        raise ModelError("embeddings were given, but no prompt had a placeholder: media would be ignored")


def _with_names(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments with the names that the module's forward has for them; as they are if it has none."""
    parameters = list(signature(module.forward).parameters.values())[: len(args)]
    if len(parameters) < len(args) or any(p.kind is not Parameter.POSITIONAL_OR_KEYWORD for p in parameters):
        return args, kwargs
    return (), dict(zip((p.name for p in parameters), args, strict=True)) | kwargs


def _require_complete(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise ModelError for a call without something that the module cannot do without: media, in plain text."""
    needed = [p for p in signature(module.forward).parameters.values() if p.default is Parameter.empty]
    named = [p.name for p in needed if p.kind is Parameter.POSITIONAL_OR_KEYWORD][len(args) :]
    if missing := [name for name in named if name not in kwargs]:
        raise ModelError(
            f"this model takes no prompt in plain text: its {type(module).__name__} needs {', '.join(missing)}",
            hint=MEDIA_ONLY_HINT,
        )


def _check_call(args: tuple[Any, ...], ids: Tensor | None, *, own: bool, fixed: bool) -> None:
    """Raise ModelError for a call of the backbone into which nothing can be injected."""
    if args and (own or fixed):
        raise ModelError(
            "the model calls its backbone with positional arguments, which cannot be matched to names",
            hint="Use keywords in the model: self.model(input_ids=input_ids, attention_mask=attention_mask, ...)",
        )
    if ids is None and own:
        raise ModelError("embeddings were given without input_ids, so their place in the prompt is unknown")


def _repeated(fixed: Sequence[Embedding], ids: Tensor | None) -> list[Embedding]:
    """Return one fixed embedding for each sequence of a call."""
    if not fixed or ids is None:
        return []
    return [e for e in fixed for _ in range(max(1, len(ids) // len(fixed)))]


def _first_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()))
