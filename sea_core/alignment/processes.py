"""The processes of a training job: one, unless `torchrun` started several."""

from __future__ import annotations

from sea_core.model.placement import resolve_device


def count_processes() -> int:
    """Return how many processes train."""
    from accelerate import PartialState

    return int(PartialState(cpu=_has_no_gpu()).num_processes)


def is_first_process() -> bool:
    """Return whether this process alone writes files and asks questions."""
    from accelerate import PartialState

    return bool(PartialState(cpu=_has_no_gpu()).is_main_process)


def wait_for_all() -> None:
    """Wait until all processes of the job have called this."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def _has_no_gpu() -> bool:
    return resolve_device("auto").type == "cpu"
