"""This process as one of several workers: its device, and its end with the process that has launched it.

Importing this module does not import torch: judges may need none.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache

from sea_core.errors import SeaError
from sea_core.model.device_map import are_several
from sea_core.pipeline.launch import PARENT

RANKS = ("LOCAL_RANK", "SLURM_LOCALID")
"""Environment variables with the number of this process among those of its computer, set by torchrun and SLURM."""


def own_device(device: str) -> str:
    """Return the device of this process: with `auto`, one GPU for each process that torchrun or SLURM has started.

    Raises:
        SeaError: each of several processes would load the model onto the same devices.
    """
    rank = next((os.environ[name] for name in RANKS if os.environ.get(name, "").isdigit()), None)
    if are_several(device) and rank is not None and int(rank):
        raise SeaError(
            f"several processes on this computer cannot share {device}: each would load the whole model onto it",
            hint="Start one process for each group of GPUs, and set CUDA_VISIBLE_DEVICES for it.",
        )
    if device != "auto" or rank is None:
        return device
    import torch

    if torch.cuda.device_count() < 2:
        return device
    return f"cuda:{int(rank) % torch.cuda.device_count()}"


def end_with_parent() -> None:
    """Stop, as on Ctrl-C, when the process that has launched this one is gone. It may be called more than once."""
    parent = os.environ.get(PARENT, "")
    if parent.isdigit():
        _watch(int(parent))


@cache
def _watch(parent: int) -> None:
    """Watch a process, once: a second signal would end this one before it has given back what it has claimed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
