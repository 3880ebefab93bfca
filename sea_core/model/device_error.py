"""What a device refuses: its memory is full, or its driver has failed. That is no plugin's bug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sea_core.errors import DeviceError, one_line

if TYPE_CHECKING:
    import torch

OUT_OF_MEMORY = ("can't allocate memory", "MPS backend out of memory")
DRIVER_ERRORS = ("CUDA error", "HIP error", "cuDNN error")
"""How the errors begin for which torch has no class of their own, as those of cuBLAS."""
HINT = (
    "Type for example -o batch_size=1, or another --device: what is finished is kept. Or make a new run with a smaller "
    "blank (-o adapter.…), --quantize 4bit or --dtype bfloat16. `sea plan` estimates what an example takes."
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an allocation failed, on a GPU or in main memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)
    )


def out_of_memory_error(device: torch.device, message: str) -> DeviceError:
    """Return the error to raise when not even one example fits; `message` is the allocator's."""
    what = f"not even one example fits into the memory of {device}: {message.splitlines()[0]}"
    return DeviceError(what, hint=f"Free memory on the device. {HINT}")


def describe_device_error(error: BaseException) -> DeviceError | None:
    """Return the error to show for one that a device has caused; None for any other."""
    import torch

    if is_out_of_memory(error):
        what = "the device is out of memory"
    elif isinstance(error, torch.AcceleratorError) or (
        isinstance(error, RuntimeError) and str(error).startswith(DRIVER_ERRORS)
    ):
        what = "the device or its driver has failed"
    else:
        return None
    return DeviceError(f"{what}: {one_line(str(error).partition(chr(10))[0])}", hint=HINT)


@contextmanager
def described_device_errors() -> Iterator[None]:
    """Raise DeviceError in place of what a device raises inside the block."""
    try:
        yield
    except RuntimeError as error:
        if (found := describe_device_error(error)) is None:
            raise
        raise found from error
