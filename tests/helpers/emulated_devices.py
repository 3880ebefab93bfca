"""Several devices on a machine without a GPU: what is computed is the CPU's, what is refused is a GPU's.

A tensor on an emulated device computes with the CPU's kernels. As with GPUs, an operation on tensors of two devices is
an error; so is one on a tensor of the CPU, but for single numbers and for indices.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

TYPE = "maia"
"""A type of device that torch knows by name, and that has no code of its own in the libraries."""
CPU = torch.device("cpu")
aten = torch.ops.aten
MOVES = {aten._to_copy.default, aten.copy_.default}
TAKES_INDICES = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}


class EmulatedTensor(Tensor):
    """A tensor whose numbers are in `numbers`, on the CPU. To torch's C++ it is on the device meta."""

    numbers: Tensor
    place: torch.device

    @staticmethod
    def __new__(cls, numbers: Tensor, place: torch.device) -> EmulatedTensor:
        found: EmulatedTensor = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device="meta",
        )
        found.numbers, found.place = numbers, place
        return found

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.place

    @property
    def is_meta(self) -> bool:  # type: ignore[override]
        return False

    def tolist(self) -> Any:
        return self.numbers.tolist()

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"{self.numbers!r} on {self.place}"

    def __format__(self, format_spec: str) -> str:
        return format(self.numbers, format_spec)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.to:
            return _to(*args, **(kwargs or {}))
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


def _to(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return a tensor on another device, or in another dtype."""
    with torch._C.DisableTorchFunctionSubclass():
        if args and isinstance(args[0], EmulatedTensor):
            args = (args[0].place, args[0].dtype, *args[1:])
        kwargs.pop("copy", None)  # a move copies; nothing is written into what is not moved
        place = torch._C._nn._parse_to(*args, **kwargs)[0]
        if isinstance(tensor, EmulatedTensor) and place is not None and place.type == TYPE:
            tensor = tensor if place == tensor.place else Move.apply(tensor, place)
            kwargs.pop("device", None)
            args = args[1:] if args and not isinstance(args[0], torch.dtype) else args
        return tensor.to(*args, **kwargs) if args or kwargs else tensor


class Move(torch.autograd.Function):
    """Copies a tensor to another emulated device; its gradient is copied back."""

    @staticmethod
    def forward(ctx: Any, tensor: EmulatedTensor, place: torch.device) -> EmulatedTensor:
        ctx.place = tensor.place
        return EmulatedTensor(tensor.numbers.clone(), place)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return EmulatedTensor(grads[0].numbers, ctx.place), None


class EmulatedDevices(TorchDispatchMode):
    """Makes tensors on emulated devices where code asks for them."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation on the CPU, and return its results on the device that they would be on.

    Raises:
        RuntimeError: its tensors are on different devices.
    """
    leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    emulated = [leaf for leaf in leaves if isinstance(leaf, EmulatedTensor)]
    asked = kwargs.get("device")
    asked = None if asked is None or torch.device(asked).type == "meta" else torch.device(asked)
    if func is aten.scalar_tensor.default and asked is None:
        return func(*args, **kwargs | {"device": CPU})  # torch makes it beside a tensor, where that seems to be
    if not emulated and (asked is None or asked.type != TYPE):
        return func(*args, **kwargs)
    if func not in MOVES:
        _require_one_device(func, args, leaves, emulated)
    place = args[0].device if func is aten.copy_.default else asked or emulated[0].device
    wrappers = {id(leaf.numbers): leaf for leaf in emulated}
    plain_args, plain = tree_map(_numbers, (args, kwargs))
    if "device" in plain:
        plain["device"] = CPU
    results = func(*plain_args, **plain)

    def wrapped(result: Any) -> Any:
        if not isinstance(result, Tensor):
            return result
        if id(result) in wrappers and func is not aten._to_copy.default:
            return wrappers[id(result)]  # changed in place
        return result if place == CPU else EmulatedTensor(result, place)

    return tree_map(wrapped, results)


def _numbers(leaf: Any) -> Any:
    return leaf.numbers if isinstance(leaf, EmulatedTensor) else leaf


def _require_one_device(func: Any, args: Any, leaves: list[Tensor], emulated: list[EmulatedTensor]) -> None:
    counted = [args[0]] if func in TAKES_INDICES else leaves
    others = [leaf for leaf in counted if not isinstance(leaf, EmulatedTensor) and leaf.ndim]
    places = {leaf.device for leaf in [*emulated, *others]}
    if len(places) > 1:
        names = ", ".join(sorted(map(str, places)))
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, but found {names}")


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return what torch's attention returns: torch's own asks C++ where a tensor is."""
    groups = query.shape[1] // key.shape[1] if enable_gqa else 1
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = query @ key.transpose(-1, -2) * (scale or query.shape[-1] ** -0.5)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1) @ value


@contextmanager
def emulated_devices() -> Iterator[None]:
    """Let code use the devices `maia:0`, `maia:1`, ... inside the block."""
    generator = torch.Generator

    def make_generator(device: Any = "cpu") -> torch.Generator:
        return generator(CPU if torch.device(device).type == TYPE else device)

    with (
        patch("transformers.modeling_utils.caching_allocator_warmup"),  # reserves a GPU's memory
        patch.dict("os.environ", HF_DEACTIVATE_ASYNC_LOAD="1"),  # the emulation is this thread's
        patch("torch.nn.functional.scaled_dot_product_attention", attention),
        patch("torch.Generator", make_generator),
        warnings.catch_warnings(),
        EmulatedDevices(),
    ):
        warnings.filterwarnings("ignore", "at::frobenius_norm")  # torch's norm of what seems to be no CPU's tensor
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(..., device=...) makes it on the CPU, then moves it
        try:
            yield
        finally:
            torch._C._set_only_lift_cpu_tensors(False)
