"""The processes of a training job: one, unless `torchrun` started several."""

from __future__ import annotations

import torch


def count_processes() -> int:
    """Return how many processes train."""
    from accelerate import PartialState

    return int(PartialState(cpu=not torch.cuda.is_available()).num_processes)


def is_first_process() -> bool:
    """Return whether this process alone writes files and asks questions."""
    from accelerate import PartialState

    return bool(PartialState(cpu=not torch.cuda.is_available()).is_main_process)


def wait_for_all() -> None:
    """Wait until all processes of the job have called this."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()
