"""The trainer's checkpoints: training resumes from the newest complete one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NotRequired

from pydantic import ValidationError, with_config
from typing_extensions import TypedDict

from sea_core.schema import adapter, read_bytes

CHECKPOINTS = "checkpoints"
STATE_FILE = "trainer_state.json"
"""The last file that the trainer writes into a checkpoint."""


@with_config(extra="allow")
class LogEntry(TypedDict):
    """What the trainer logged at a step; entries of an evaluation have no loss."""

    loss: NotRequired[float]
    step: NotRequired[int]


class TrainerState(TypedDict):
    """The keys of the trainer's state that SEA reads itself."""

    global_step: int
    log_history: list[LogEntry]


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a model folder; delete newer ones that an interrupted run left."""
    numbered = [path for path in (folder / CHECKPOINTS).glob("*") if re.fullmatch("checkpoint-[0-9]{1,18}", path.name)]
    found = sorted(numbered, key=lambda path: int(path.name.rpartition("-")[2]))
    while found:
        try:
            read_state(found[-1])
        except (OSError, ValidationError):
            shutil.rmtree(found.pop())
        else:
            return found[-1]
    return None


def read_state(checkpoint: Path) -> TrainerState:
    """Return the trainer's state at a checkpoint. Raises OSError or ValidationError if it is damaged."""
    state: TrainerState = adapter(TrainerState).validate_json(read_bytes(checkpoint / STATE_FILE), strict=True)
    return state
