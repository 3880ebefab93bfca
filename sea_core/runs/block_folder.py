"""The folder of a block: `blocks/LABEL.ROWS.STATE` in a run folder. Its name is its state; only a rename changes it.

A run folder has a folder of blocks for each command whose rows several workers may do.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from sea_core.runs.atomic import disk_errors

BLOCKS = "blocks"
"""The folder, in a run folder, of what is still to be done or to be joined by the command that makes the run."""
JUDGE_BLOCKS = "judge_blocks"
"""The folder of what is still to be judged."""
SETTLE = "settle"
"""The label of the job that cuts the blocks; those of blocks are numbers."""
TODO, DONE = "todo", "done"
JOINING = ".joining"
"""The suffix of a finished block whose lines are being appended to the run's journals."""
TOKEN = r"[0-9a-f]{16}"
NAME = re.compile(rf"(?P<label>\d{{5,}}|{SETTLE})\.(?P<rows>\d{{1,9}})\.(?P<state>{TODO}|{DONE}|{TOKEN})")


@dataclass(frozen=True)
class BlockFolder:
    """A block as its name describes it.

    Attributes:
        path: of the folder, when it was listed.
        label: its number, with which its part of the run is named too; or SETTLE.
        rows: how many rows it has.
        state: TODO, DONE, or the token of the worker that has claimed it.
    """

    path: Path
    label: str
    rows: int
    state: str

    @property
    def is_claimed(self) -> bool:
        """Whether a worker has claimed it, dead or alive."""
        return self.state not in (TODO, DONE)

    @property
    def is_done(self) -> bool:
        """Whether all its rows are done, and its part is to be joined to the run's."""
        return self.state == DONE and self.label != SETTLE

    def named(self, state: str) -> BlockFolder:
        """Return the block in another state."""
        return replace(self, state=state, path=self.path.with_name(f"{self.label}.{self.rows}.{state}"))

    def moved_to(self, state: str) -> BlockFolder | None:
        """Change the state; return the block as it is then, or None if another worker was faster."""
        target = self.named(state)
        with disk_errors(target.path):
            try:
                os.rename(self.path, target.path)  # noqa: PTH104  # `Path.rename` is the same call
            except FileNotFoundError:
                # A file server that is asked again, because its reply was lost, finds the old name gone.
                return target if target.is_claimed and target.path.is_dir() else None
        return target


def files_of(folder: Path, suffix: str) -> list[Path]:
    """Return the entries of a folder with a suffix, sorted; none if a worker has just moved the folder.

    `Path.glob` fails where a folder disappears while it is listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []


def block_folders(run: Path, folder: str = BLOCKS) -> list[BlockFolder]:
    """Return the blocks in a folder of a run, the job that cuts them first, then by their numbers."""
    try:
        names = [entry.name for entry in os.scandir(run / folder) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = sorted(filter(None, map(NAME.fullmatch, names)), key=lambda name: (name["label"] != SETTLE, name[0]))
    return [BlockFolder(run / folder / name[0], name["label"], int(name["rows"]), name["state"]) for name in matches]


def block_names(run: Path) -> list[str]:
    """Return the names of the folders of blocks in a run, sorted."""
    return sorted(path.name for path in run.glob(f"*{BLOCKS}") if path.is_dir())
