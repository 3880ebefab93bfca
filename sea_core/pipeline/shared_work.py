"""Work that a command shares between processes: rows that each may do, whose results are lines of the run's journals.

One process does the rows in the run itself. Of several, each does those of the blocks that it has claimed, with the
same code, in the run as it goes on in the block (`RunFolder.continued_in`); the run's writer joins the blocks.
`sea optimize` has a worker of its own, whose embeddings share batches across blocks (optimize_worker.py).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import JsonValue

from sea_core.errors import RunError
from sea_core.judges.base import JudgeConfig
from sea_core.pipeline.block_worker import DEATHS, WAIT_SECONDS, BlockWorker, RowCounter, may_kill
from sea_core.pipeline.launch import WorkerCommand, launch
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.block import HINT, Block, BlockRow, ClaimLost
from sea_core.runs.block_folder import BLOCKS
from sea_core.runs.blocks import FINISHER, ORDER, SETTLED, Blocks, Finisher, block_size
from sea_core.runs.folder import LOCK, RunFolder
from sea_core.runs.journal_blocks import JournalBlocks
from sea_core.runs.lock import Locked, locked
from sea_core.runs.store import SHARD_SIZE
from sea_core.runs.workers import Worker

R = TypeVar("R", bound=RunFolder[Any])


@dataclass(frozen=True)
class SharedOrder:
    """What the workers of a command are to do, as the command that started it has stored it.

    Attributes:
        identity: the digest of the run's identity. options: what else the command was given.
        total: how many rows there are, with those that were done before. workers: how many workers the command expects;
            0 if nobody knows.
    """

    identity: str
    options: Mapping[str, JsonValue]
    total: int
    workers: int


class SharedWork(ABC, Generic[R]):
    """The rows of a command in one run.

    Class attributes:
        title: of the progress. unit: what a row is, in the plural. blocks_name: the folder of the blocks.
        settled_type: the dataclass of what all rows depend on; None where there is nothing of the kind.

    Attributes:
        run: the run. command: that starts another process for the same; None where there are no others.
    """

    title: str
    unit: ClassVar[str] = "rows"
    blocks_name: ClassVar[str] = BLOCKS
    settled_type: ClassVar[type[Any] | None] = None

    def __init__(self, run: R, command: WorkerCommand | None) -> None:
        self.run, self.command = run, command
        self.blocks = JournalBlocks(run, self.blocks_name)

    @property
    def batch_size(self) -> int:
        """How many rows are done at a time: blocks have at least as many, if there are enough for all workers."""
        return 1

    @abstractmethod
    def load(self) -> None:
        """Load the model, if it is not loaded yet."""

    def settle(self, run: R) -> Any:
        """Determine what all rows depend on, store it in the run, and return it: a `settled_type`."""
        return None

    def adopt(self, run: R, settled: Any) -> None:
        """Store in the run, or in the run as a block continues it, what a worker has settled."""
        raise NotImplementedError

    @abstractmethod
    def left(self, run: R, rows: Sequence[BlockRow]) -> list[BlockRow]:
        """Return those of the rows that are still to be done."""

    @abstractmethod
    def do(self, run: R, rows: Sequence[BlockRow]) -> Iterator[int]:
        """Do rows, and store their results in the run that is given. Yields how many were done each time."""

    @abstractmethod
    def give_up(self, run: R, row: BlockRow, reason: str) -> None:
        """Store in the run that is given that a row cannot be done: its workers die."""

    def finish(self, progress: Progress) -> None:
        """Do what is quickly done when no row is left. Only the run's writer may do so."""

    def failures(self) -> Mapping[str, int]:
        """Return how many rows have no result though they were done, by what has failed."""
        return {}

    def run_in(self, block: Block) -> R:
        """Return the run as the worker of a block sees it."""
        self.blocks.put_aside_damage_in(block)
        run = self.run.continued_in(block.folder.path)
        self._adopt(run)
        return run

    def join(self) -> None:
        """Join what workers have finished to the run. Only its writer may do so."""
        self._adopt(self.run)
        self.blocks.join()

    def _adopt(self, run: R, blocks: Blocks | None = None) -> None:
        if self.settled_type and (settled := (blocks or self.blocks).read(SETTLED, self.settled_type)) is not None:
            self.adopt(run, settled)

    # --- the command ------------------------------------------------------------------------------------------------

    def do_all(
        self, rows: Sequence[BlockRow], options: Mapping[str, JsonValue], workers: int, progress: Progress
    ) -> None:
        """Do the rows that are left, here or in other processes. This process has locked the run.

        Args:
            options: what a worker needs to know besides the run.
            workers: how many processes; 0 to leave the rows to workers that join the run.
        """
        self.take_back()
        if workers == 1:
            self.do_here(rows, progress)
            return
        left = self._note_done(rows, progress)
        if not left:
            return
        order = SharedOrder(self.run.manifest.identity_digest(), options, len(rows), workers)
        assert self.command
        with self.blocks.registered() as worker:
            self.blocks.write(ORDER, order, worker)
            self.blocks.request(worker, left)
            if workers:  # only now: workers that see it and no block end
                self.blocks.write(FINISHER, Finisher(worker.token), worker)
            while workers and self.blocks.all():
                launch(
                    self.blocks,
                    self.command,
                    workers,
                    title=self.title,
                    total=order.total,
                    join=self.join,
                    progress=progress,
                )
                self.join()  # a block that is damaged by now is done again
        self.blocks.delete()

    def _note_done(self, rows: Sequence[BlockRow], progress: Progress) -> list[BlockRow]:
        """Return the rows that are left. Says how many are done, if not all are."""
        left = self.left(self.run, rows)
        if left and (done := len(rows) - len(left)):
            progress.note(f"{self.title}: {done} of {len(rows)} {self.unit} are done already")
        return left

    def take_back(self) -> None:
        """Join what workers have finished to the run, and take all blocks from them. Only its writer may do so."""
        self.blocks.put_aside_damage()
        self.blocks.collect(lambda taken: self._adopt(self.run, taken))

    def do_here(self, rows: Sequence[BlockRow], progress: Progress) -> None:
        """Do the rows that are left in this process. Only the run's writer may do so."""
        left = self._note_done(rows, progress)
        if not left:
            return
        self.load()
        self.settle(self.run)
        with progress.track(self.title, len(rows), len(rows) - len(left)) as tracker:
            for count in self.do(self.run, left):
                tracker.advance(count)


@dataclass
class RowsWorker(BlockWorker):
    """A worker of shared work."""

    shared_work: SharedWork[Any]
    order: SharedOrder
    worker: Worker
    progress: Progress

    @property
    def blocks(self) -> Blocks:
        return self.shared_work.blocks

    def load(self) -> None:
        self.shared_work.load()

    def settle(self, job: Block) -> None:
        try:
            self._cut_blocks(job)
            job.remove()
        except ClaimLost:
            job.release()  # if it is still there: it belongs to another order

    def _cut_blocks(self, job: Block) -> None:
        self.load()
        if (settled := self.shared_work.settle(self.shared_work.run_in(job))) is not None:
            self.blocks.write_settled(settled, job)
        cut = self.blocks.ids()  # an earlier worker may have died while it cut them
        rows = [row for row in self.shared_work.left(self.shared_work.run, job.rows) if row["id"] not in cut]
        self.blocks.cut(job, rows, self._block_size(len(rows)))

    def _block_size(self, rows: int) -> int:
        workers = self.order.workers
        share = -(-rows // workers) if workers else rows
        return max(block_size(rows, workers, SHARD_SIZE), min(self.shared_work.batch_size, share, SHARD_SIZE), 1)

    def work_on_blocks(self) -> bool:
        """Claim blocks and do their rows, those on which workers have died last, one row at a time."""
        block = self._claim(kills=False) or self._claim(kills=True)
        if block is None:
            return False
        with suppress(ClaimLost):  # another worker has it: what is still done for it is lost
            left = self.blocks.count_left()
            with self.progress.track(self.shared_work.title, self.order.total, self.order.total - left) as tracker:
                counter = RowCounter(self.blocks, tracker, left)
                while block:
                    self._do(block, counter)
                    block = self._claim(kills=False)
        return True

    def _claim(self, *, kills: bool) -> Block | None:
        return self.checked(self.blocks.claim(self.worker, lambda block: may_kill(block) is kills))

    def _do(self, block: Block, counter: RowCounter) -> None:
        self.load()
        run = self.shared_work.run_in(block)
        rows = self.shared_work.left(run, block.rows)
        if may_kill(block.folder):  # as may be known only now that it is taken over
            self._do_alone(block, run, rows, counter)
        else:
            self._do_rows(block, run, rows, counter)
        block.finish()

    def _do_rows(self, block: Block, run: Any, rows: Sequence[BlockRow], counter: RowCounter) -> None:
        if rows:
            with block.writing():
                for count in self.shared_work.do(run, rows):
                    counter.advance(count)

    def _do_alone(self, block: Block, run: Any, rows: Sequence[BlockRow], counter: RowCounter) -> None:
        """Do the rows one by one. One on which workers have died is given up."""
        for row in rows:
            if (deaths := block.deaths(row["id"])) >= DEATHS:
                reason = f"{deaths} workers died while they did this row alone (out of memory, or a driver's crash?)"
                self.progress.note(f"{row['id']}: {reason}")
                with block.writing():
                    self.shared_work.give_up(run, row, reason)
                counter.advance()
            else:
                block.begin_alone(row["id"], self.worker)
                self._do_rows(block, run, [row], counter)


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is given besides the run folder (see `join_run`)."""

    plugin: str | None = None
    model: str | None = None
    device: str = "auto"
    media_roots: Sequence[Path] = ()
    judges: Sequence[str] = ()
    judge_config: JudgeConfig = field(default_factory=JudgeConfig)
    progress: Progress = SILENT


@dataclass(frozen=True)
class Finished:
    """A run that a worker has finished. `failures`: how many rows have no result, by what has failed."""

    run: RunFolder[Any]
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SharedCommand:
    """A command whose rows workers share, as `sea worker RUN` finds it.

    Attributes:
        name: of the command, for messages. manifest: the manifest's file in its run folders.
        blocks: the folder of its blocks.
        open: returns the work of an order in a run folder. Raises RunError where this process would do it otherwise
            than the command.
        is_for: whether a run folder with such a manifest is this command's.
    """

    name: str
    manifest: str
    blocks: str
    open: Callable[[Path, SharedOrder, WorkerOptions], SharedWork[Any]]
    is_for: Callable[[Path], bool] = lambda folder: True

    def has_work(self, folder: Path) -> bool:
        """Return whether a run folder has work of this command for workers."""
        files = (folder / self.manifest, folder / self.blocks / ORDER)
        return all(path.is_file() for path in files) and self.is_for(folder)

    def join(self, folder: Path, options: WorkerOptions) -> Finished | None:
        """Work in a run folder until nothing is left to do.

        Returns:
            the run, if this worker has finished it; None if another process does.
        """
        blocks = Blocks(folder, self.blocks)
        work, last = None, None
        while order := await_order(blocks, options.progress):
            work = work if work and order == last else self.open(folder, order, options)
            last = order
            if order.identity != work.run.manifest.identity_digest():
                what = f"the blocks in {folder} belong to other settings than the run's"
                raise RunError(what, hint=HINT)
            with blocks.registered() as worker:
                RowsWorker(work, order, worker, options.progress).work()
                if (finished := _finish(work, order, worker, options.progress)) is not None:
                    return Finished(work.run, work.failures()) if finished else None
        return None


def await_order(blocks: Blocks, progress: Progress) -> SharedOrder | None:
    """Return what the workers are to do; None if there is nothing.

    Where a command has taken the blocks back, and has locked the run, it may be about to store what is left: wait.
    """
    is_noted = False
    while (order := blocks.read(ORDER, SharedOrder)) is None and blocks.run.is_dir():
        try:
            with locked(blocks.run / LOCK, blocks.run):
                return blocks.read(ORDER, SharedOrder)
        except Locked:
            is_noted = _wait(blocks, progress, is_noted)
    return order


def _wait(blocks: Blocks, progress: Progress, is_noted: bool) -> bool:
    """Wait a moment for a command that has locked the run, and say so the first time. Returns True."""
    if not is_noted:
        progress.note(f"waiting for another command that writes to {blocks.run}")
    time.sleep(WAIT_SECONDS)
    return True


def _finish(work: SharedWork[Any], order: SharedOrder, worker: Worker, progress: Progress) -> bool | None:
    """Join what is finished, if no other process does so.

    Returns:
        whether this process has finished the run; None if there is more to do.
    """
    blocks, is_noted = work.blocks, False
    while current := await_order(blocks, progress):
        if current != order:
            return None
        try:
            with work.run.writing():
                work.join()
                if blocks.all():
                    return None
                work.finish(progress)
                return blocks.delete()
        except Locked:
            if blocks.unfinished():
                return None
            if blocks.is_being_finished(worker):
                break
            is_noted = _wait(blocks, progress, is_noted)
    how = "another process finishes the run"
    if not current:
        how = "another process has finished the run, or a command has replaced the one that left it to workers"
    progress.note(f"nothing is left to do for this worker: {how}")
    return False
