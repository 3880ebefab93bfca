"""Blocks whose results are embeddings, each a file of its own until its block is a part of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sea_core.runs.block_folder import JOINING, NAME, BlockFolder
from sea_core.runs.blocks import Blocks
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.journal_blocks import JournalBlocks, StoredLines
from sea_core.runs.store import Store


class EmbeddingBlocks(JournalBlocks):
    """The blocks of a command that writes embeddings of a run, one row for each."""

    def __init__(self, run: EmbeddingRun) -> None:
        super().__init__(run)
        self._run = run

    def join(self) -> None:
        """Move the parts of finished blocks to the run's own (see `Store.join_blocks`)."""
        self._run.join_blocks()

    def collect(self, adopt: Callable[[Blocks], None] = lambda taken: None) -> None:
        """Store all that was finished in the run, and delete all blocks (see `JournalBlocks.collect`)."""
        super().collect(adopt)
        self._run.store = Store(self._run.folder)

    def _append(self, folder: Path, known: StoredLines | None = None) -> None:
        """Store what is finished of a block in the run's own store: it leaves out what it has."""
        name = NAME.fullmatch(folder.name.removeprefix(".").removesuffix(JOINING))
        assert name
        store = Store(folder, BlockFolder(folder, name["label"], int(name["rows"]), name["state"]))
        store.put_aside_damage()
        self._run.store.absorb(store)
        super()._append(folder, known)
