"""Where a model runs and in which dtype: how `auto` is resolved, and which devices this machine has.

Importing this module does not import torch, so that option values can be checked cheaply.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from sea_core.errors import SeaError

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
DTYPE_ALIASES = {"fp32": "float32", "float": "float32", "bf16": "bfloat16", "fp16": "float16", "half": "float16"}
"""Other names of the dtypes, for hints."""
DEVICE_ALIASES = {"gpu": "cuda", "nvidia": "cuda", "metal": "mps", "apple": "mps"}
"""Other names of devices, for hints."""


def resolve_device(name: str, option: str = "--device") -> torch.device:
    """Return the device of that name; `auto` is cuda, else mps (Apple GPUs), else cpu.

    Args:
        option: what the user typed it with, for the error: an option, or a setting such as `llm.device`.

    Raises:
        SeaError: this machine has no such device.
    """
    import torch

    if name == "auto":
        return torch.device(_best_device_type())
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason, hint = _device_problem(name, option, error)
        raise SeaError(f"{_typed(option, name)} cannot be used: {reason}", hint=hint) from error
    return torch.device(name)


def _device_problem(name: str, option: str, error: Exception) -> tuple[str, str]:
    """Return why a device cannot be used, and what to type."""
    import torch

    kind, use_cpu = name.partition(":")[0], _typed(option, "cpu")
    if kind == "cuda" and torch.version.cuda is None and torch.version.hip is None:
        return "this torch has no CUDA support", f"Install a torch with CUDA (https://pytorch.org), or type: {use_cpu}"
    if alias := DEVICE_ALIASES.get(kind.lower()):
        return "torch has no such device", f"Did you mean {_typed(option, alias)} ?"
    if "device type" in str(error) or "device string" in str(error):
        names = ", ".join(_typed(option, known) for known in ("auto", "cpu", "cuda", "mps"))
        return "torch has no such device", f"Type one of: {names}"
    return str(error).splitlines()[0], f"Type: {use_cpu}"


def resolve_dtype(name: str, device: torch.device, option: str = "--dtype") -> torch.dtype:
    """Return the dtype of that name; `auto` is bfloat16 on a GPU that computes in it, else float32.

    Raises:
        SeaError: the name is none of DTYPES.
    """
    import torch

    check_dtype(name, option)
    if name != "auto":
        dtype: torch.dtype = getattr(torch, name)
        return dtype
    if device.type == "cuda" or (device.type == "mps" and computes_in_bfloat16(device)):
        return torch.bfloat16
    return torch.float32


def check_dtype(name: str, option: str = "--dtype") -> None:
    """Raise SeaError unless the name is `auto` or one of DTYPES."""
    if name not in ("auto", *DTYPES):
        alias = DTYPE_ALIASES.get(name.lower())
        hint = f"Did you mean {_typed(option, alias)} ?" if alias else f"Type one of: auto, {', '.join(DTYPES)}"
        raise SeaError(f"{_typed(option, name)} is not known", hint=hint)


def dtype_name(dtype: torch.dtype) -> str:
    """Return the name of a dtype, such as `bfloat16`."""
    return str(dtype).removeprefix("torch.")


def computes_in_bfloat16(device: torch.device) -> bool:
    """Return whether a bf16 matrix product runs on the device: on mps it needs macOS 14 or later."""
    import torch

    try:
        a = torch.ones(2, 2, dtype=torch.bfloat16, device=device)
        return bool((a @ a == 2).all())
    except (RuntimeError, TypeError, NotImplementedError):
        return False


@cache
def fastest_cpu_dtype() -> torch.dtype:
    """Return bf16 where this machine's CPU multiplies it faster than fp32, else fp32; measured, in milliseconds.

    A CPU with bf16 instructions is three times as fast in it, one without is seven times slower.
    """
    import torch

    inputs, weights = torch.randn(512, 576), torch.randn(1536, 576)
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = inputs.to(dtype), weights.to(dtype)
        torch.nn.functional.linear(a, b)
        began = time.process_time()
        for _ in range(4):
            torch.nn.functional.linear(a, b)
        seconds[dtype] = time.process_time() - began
    return min(seconds, key=lambda dtype: seconds[dtype])


def _best_device_type() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _typed(option: str, value: str) -> str:
    return f"{option} {value}" if option.startswith("--") else f"-o {option}={value}"
