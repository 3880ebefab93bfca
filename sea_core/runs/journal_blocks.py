"""Blocks whose results are lines of the run's journals: answers and verdicts, for example.

A worker's journals go on in the block that it has claimed (`RunFolder.continued_in`). The run's writer appends finished
blocks to the run's own journals in the order of the blocks, so that they read as if one process had written them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from sea_core.runs.atomic import disk_errors
from sea_core.runs.block import Block
from sea_core.runs.block_folder import BLOCKS, JOINING, NAME, TODO, files_of
from sea_core.runs.blocks import Blocks
from sea_core.runs.folder import RunFolder
from sea_core.runs.jsonl import JsonlLog

StoredLines: TypeAlias = Mapping[Path, set[str]]
"""The records of a run's journals as JSON, by the journal's path."""


class JournalBlocks(Blocks):
    """The blocks of a command that writes journals of a run.

    Args:
        more: journals that the command writes besides the run's own.
    """

    def __init__(self, run: RunFolder[Any], name: str = BLOCKS, more: Sequence[JsonlLog[Any]] = ()) -> None:
        super().__init__(run.folder, name)
        self._journals, self._more = (*run.journals(), *more), more

    def put_aside_damage(self) -> None:
        """Do so for the journals that the command writes besides the run's own, too. Only the run's writer may."""
        super().put_aside_damage()
        for journal in self._more:
            journal.put_aside_damage()

    def join(self) -> None:
        """Append the finished blocks to the run's journals. Only the run's writer may do so.

        A block waits for those before it, and all wait while blocks are cut.
        """
        if killed := files_of(self.folder, JOINING):
            known = self._stored_lines()
            for folder in killed:
                self._append(folder, known)
        if self.is_settling():
            return
        for block in self.all():
            if not block.is_done:
                return
            if any(journal.elsewhere(block.path).damaged_lines() for journal in self._journals):
                block.moved_to(TODO)  # whoever claims it puts the damage aside, and makes it again
                return
            joining = block.path.with_name(f".{block.path.name}{JOINING}")
            with disk_errors(joining):
                block.path.replace(joining)
            self._append(joining)

    def collect(self, adopt: Callable[[Blocks], None] = lambda taken: None) -> None:
        """Append all that was finished, and delete all blocks. Only the run's writer may do so.

        A rename takes the blocks from workers that still have them: these do what they had begun again, if the rows
        are cut into blocks once more.

        Args:
            adopt: stores in the run what was settled on for the blocks that are given.
        """
        self.join_collected(adopt)  # a kill came before its end
        with disk_errors(self.folder), suppress(FileNotFoundError):
            self.folder.replace(self.collected)
        self.join_collected(adopt)

    def put_aside_damage_in(self, block: Block) -> None:
        """Move the damaged lines of a claimed block's journals aside: what they contained is made again."""
        with block.writing():
            for journal in self._journals:
                journal.elsewhere(block.folder.path).put_aside_damage()

    def join_collected(self, adopt: Callable[[Blocks], None] = lambda taken: None) -> None:
        """Append what a command has taken from workers, but was killed before it had appended it."""
        taken = self.collected
        if not taken.is_dir():
            return
        blocks = Blocks(self.run, taken.name)
        blocks.put_aside_damage()
        adopt(blocks)
        known = self._stored_lines()
        folders = {path.name.removeprefix(".").removesuffix(JOINING): path for path in taken.iterdir()}
        for name in sorted(filter(NAME.fullmatch, folders)):
            self._append(folders[name], known)
        with disk_errors(taken):
            shutil.rmtree(taken)

    def _stored_lines(self) -> StoredLines:
        return {
            journal.path: {json.dumps(record) for record in journal.read(skip_damaged=True)}
            for journal in self._journals
        }

    def _append(self, folder: Path, known: StoredLines | None = None) -> None:
        """Append the records of a block to the run's journals, and delete the block.

        Args:
            known: what is left out: a kill may have come after it was appended. None where there was no kill.
        """
        for journal in self._journals:
            records = journal.elsewhere(folder).read(skip_damaged=True)
            if known is not None:
                records = [record for record in records if json.dumps(record) not in known[journal.path]]
            if records:
                journal.append(records)
        with disk_errors(folder):
            shutil.rmtree(folder)
