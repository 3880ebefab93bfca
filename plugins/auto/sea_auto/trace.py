"""What every module of a model is given and returns, in one forward pass up to the decoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils import _pytree as pytree

Tensors = Mapping[str, Tensor]
"""The floating-point tensors in nested arguments or results, by path."""


@dataclass(eq=False)
class Call:
    """One call of a module.

    Attributes:
        name: the module's name. number: which of its calls this is, from 0.
        begin, end: when it began and ended, counted in calls and returns; `end` is 0 while it has not.
        inputs: what it was given, by the path in `(args, kwargs)`. outputs: what it returned.
    """

    name: str
    number: int
    begin: int
    inputs: Tensors
    end: int = 0
    outputs: Tensors = field(default_factory=dict)


def tensors(value: Any) -> dict[str, Tensor]:
    """Return the floating-point tensors in a nested value, by path."""
    leaves, _ = pytree.tree_flatten_with_path(value)
    return {pytree.keystr(path): x for path, x in leaves if isinstance(x, Tensor) and x.is_floating_point()}


def trace(model: nn.Module, run: Callable[[], Any]) -> list[Call]:
    """Run a forward pass, and return all calls in their order. `run` may end it early (see `seam.run_until`)."""
    calls: list[Call] = []
    with _recording(model, calls):
        run()
    return calls


@contextmanager
def _recording(model: nn.Module, calls: list[Call]) -> Iterator[None]:
    time, numbers, active = iter(range(1, 1 << 62)), Counter[str](), list[Call]()

    def before(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, args: Any, kwargs: Any) -> None:
            call = Call(name, numbers[name], next(time), _copies((args, kwargs)))
            numbers[name] += 1
            calls.append(call)
            active.append(call)

        return hook

    def after(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            while active[-1].name != name:  # a module that was left by an exception
                active.pop()
            call = active.pop()
            call.end, call.outputs = next(time), _copies(output)

        return hook

    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(before(name), with_kwargs=True))
        handles.append(module.register_forward_hook(after(name)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _copies(value: Any) -> Tensors:
    """Return copies: a model may change its tensors in place."""
    return {path: tensor.detach().clone() for path, tensor in tensors(value).items()}
