"""The trainer's checkpoints: training resumes from the newest complete one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

CHECKPOINTS = "checkpoints"
STATE_FILE = "trainer_state.json"
"""The last file that the trainer writes into a checkpoint."""


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a model folder; delete newer ones that an interrupted run left."""
    found = sorted((folder / CHECKPOINTS).glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    while found:
        try:
            json.loads((found[-1] / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(found.pop())
        else:
            return found[-1]
    return None
