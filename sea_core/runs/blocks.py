"""Blocks: what is left to do in a run, cut into parts that workers claim one at a time.

A block is a folder whose name is its state (block_folder.py), and a rename has one winner, on NFS too: so a block has
at most one owner. A dead worker's block is taken over, with what is finished in it. Should that worker wake up, the
folder that it writes to is gone, and its writes fail: it cannot harm the new owner's work. What a worker writes for
others goes through the folder that it has claimed, for the same reason.

The job `settle` is a folder like a block. Whoever claims it determines what all rows depend on (`auto` settings, the
start), fixes the order of the rows, and cuts them into blocks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from sea_core.errors import DeviceError, RunError
from sea_core.runs import inventory
from sea_core.runs.atomic import disk_errors, put_aside
from sea_core.runs.block import ATTEMPTS, HINT, ROWS, Block, BlockRow, ClaimLost
from sea_core.runs.block_folder import BLOCKS, JOINING, SETTLE, TODO, BlockFolder, block_folders, files_of
from sea_core.runs.inventory import Damage
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import read_sealed, write_sealed
from sea_core.runs.records import TrialRecord
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker
from sea_core.schema import parse_json

T = TypeVar("T")

TRIALS, TRIAL_KEY = "tuning.jsonl", ("lr", "id")
ORDER, SETTLED, FINISHER = "order.json", "settled.json", "finisher.json"
BLOCKS_PER_WORKER = 8
"""In a small run: with fewer, some workers would wait long for the last block of another."""
UNKNOWN_WORKERS = 8
"""For how many workers blocks are cut where nobody knows how many will join."""


def block_size(rows: int, workers: int, largest: int) -> int:
    """Return how many rows a block has: `largest`, or fewer in a small run, so that all workers have work.

    Args:
        workers: how many work on the run; 0 if nobody knows yet.
    """
    if workers == 1:
        return largest
    return max(1, min(largest, rows // (BLOCKS_PER_WORKER * (workers or UNKNOWN_WORKERS))))


@dataclass(frozen=True)
class Finisher:
    """The content of `finisher.json`: the token of the worker that finishes the run when no block is left."""

    token: str


class Blocks:
    """The blocks of a run folder, and two files that all workers read.

    Args:
        name: of their folder in the run's: a run may have blocks of several commands.

    Attributes:
        workers: the folder of the workers' files.
    """

    def __init__(self, run: Path, name: str = BLOCKS) -> None:
        self.run, self.folder = run, run / name
        self.workers = self.folder / "workers"
        self._counted: dict[Path, int] = {}  # of the blocks that nobody had claimed when they were counted

    def worker(self) -> Worker:
        """Return this process as a worker, to be registered."""
        return Worker(self.workers)

    @contextmanager
    def registered(self) -> Iterator[Worker]:
        """Register this process as a worker inside the context. At the end it gives back all that it has claimed.

        After a DeviceError it counts as dead, so that the next workers find the row that is the cause.
        """
        with self.worker().registered() as worker:
            try:
                yield worker
            except DeviceError:
                self._add_deaths(worker)
                raise
            finally:
                self.release(worker)

    def all(self) -> list[BlockFolder]:
        """Return the blocks, and the job that cuts them, that are not joined to the run yet."""
        return block_folders(self.run, self.folder.name)

    def finished(self) -> list[BlockFolder]:
        """Return the blocks that are finished and not joined to the run yet."""
        return [block for block in self.all() if block.is_done]

    # --- claims -----------------------------------------------------------------------------------------------------

    def claim(self, worker: Worker, wanted: Callable[[BlockFolder], bool] = lambda block: True) -> Block | None:
        """Claim the next block that is to be done, else one whose worker is dead. None if there is none."""
        return self._claim(worker, lambda block: block.label != SETTLE and wanted(block))

    def claim_settling(self, worker: Worker) -> Block | None:
        """Claim the job that cuts the blocks. None if there is none, or another worker is doing it."""
        if any(block.label == SETTLE and block.is_claimed and worker.is_alive(block.state) for block in self.all()):
            return None
        return self._claim(worker, lambda block: block.label == SETTLE)

    def _claim(self, worker: Worker, wanted: Callable[[BlockFolder], bool]) -> Block | None:
        blocks = self.unfinished()
        waiting = [block for block in blocks if block.state == TODO]
        while waiting:
            if not wanted(block := waiting.pop(0)):
                continue
            if claimed := block.moved_to(worker.token):
                return Block(claimed)
            random.shuffle(waiting)  # another worker is claiming from this end
        alive = {token: worker.is_alive(token) for token in {block.state for block in blocks if block.is_claimed}}
        dead = [block for block in blocks if block.is_claimed and not alive[block.state] and wanted(block)]
        return next(filter(None, (self._take_over(block, worker) for block in dead)), None)

    @staticmethod
    def _take_over(block: BlockFolder, worker: Worker) -> Block | None:
        """Claim a block of a dead worker. None if another worker was faster."""
        if not (moved := block.moved_to(worker.token)):
            return None
        claimed = Block(moved)
        try:
            claimed.add_death(block.state)
        except ClaimLost:
            return None
        return claimed

    def _add_deaths(self, worker: Worker) -> None:
        """Store in all blocks of a worker that it has died."""
        for block in self.all():
            if block.state == worker.token:
                with suppress(ClaimLost):
                    Block(block).add_death(worker.token)

    def release(self, worker: Worker) -> None:
        """Give back all blocks of a worker, by what is on disk: an interrupt may come right after a claim."""
        for block in self.all():
            if block.state == worker.token:
                block.moved_to(TODO)

    def is_settling(self) -> bool:
        """Return whether blocks are still to be cut."""
        return any(block.label == SETTLE for block in self.all())

    def unfinished(self) -> list[BlockFolder]:
        """Return what is not done yet."""
        return [block for block in self.all() if not block.is_done]

    # --- cutting ----------------------------------------------------------------------------------------------------

    def request(self, worker: Worker, rows: Sequence[BlockRow]) -> None:
        """Let the first worker that comes cut these rows, which no block has, into blocks."""
        self._place(worker.path.with_suffix(""), SETTLE, rows)

    def cut(self, job: Block, rows: Sequence[BlockRow], size: int) -> None:
        """Cut rows into blocks, in their order. Raises ClaimLost when another worker has taken over the job."""
        number = max(Store(self.run).next_number(), self._next_number())
        for start in range(0, len(rows), size):
            with job.writing():
                self._place(job.folder.path / "cut", f"{number:05d}", rows[start : start + size])
            number += 1

    def _next_number(self) -> int:
        return max((int(block.label) for block in self.all() if block.label != SETTLE), default=-1) + 1

    def open_trials(self, job: Block) -> JsonlLog[TrialRecord]:
        """Return the log of the trials of `lr=auto` in the folder of the job that cuts the blocks.

        It goes on where an earlier worker or command stopped.
        """
        path, earlier = job.folder.path / TRIALS, self.run / TRIALS
        if earlier.exists() and not path.exists():
            with disk_errors(path):
                shutil.copyfile(earlier, path)
        return JsonlLog(path, TrialRecord, key=TRIAL_KEY)

    def keep_trials(self, job: Block) -> None:
        """Move the trials of a job, if there are any, to the run."""
        path = job.folder.path / TRIALS
        if path.exists():
            with disk_errors(path):
                path.replace(self.run / TRIALS)

    def _place(self, partial: Path, label: str, rows: Sequence[BlockRow]) -> None:
        """Make a block at a temporary place, and put it among the others in one step."""
        target = BlockFolder(self.folder, label, len(rows), "").named(TODO).path
        with disk_errors(target):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
        JsonlLog(partial / ROWS, BlockRow).append(rows)
        with disk_errors(target):
            os.rename(partial, self.folder / target.name)  # noqa: PTH104

    def tidy(self, worker: Worker, wanted: set[str]) -> set[str]:
        """Prepare the blocks for a new start: only wanted rows are left in them. Only the run's writer may do so.

        Blocks that living workers have claimed stay as they are. Those of which every row has a result are done.

        Returns:
            the ids of the rows that are in a block.
        """
        store, covered = Store(self.run), set[str]()
        while job := self.claim_settling(worker):
            self.keep_trials(job)
            job.remove()
        claimed = []
        while block := self.claim(worker):
            claimed.append(block)
        for block in claimed:
            try:
                ids = {row["id"] for row in block.rows}
            except RunError:
                ids = set()
            left = ids - block.store.ids()
            if len(ids) != block.folder.rows or not left <= wanted:
                self._dissolve(block, store)
                continue
            covered |= ids
            if left:
                block.release()
            else:
                block.finish()
        return covered | self.ids(lambda block: block.is_claimed)

    def ids(self, wanted: Callable[[BlockFolder], bool] = lambda block: block.label != SETTLE) -> set[str]:
        """Return the ids of the rows of blocks, though workers may move them at the same time."""
        read: dict[str, list[str]] = {}
        while waiting := [block for block in self.all() if wanted(block) and block.label not in read]:
            for block in waiting:
                ids = [row["id"] for row in Block(block).rows]
                if len(ids) == block.rows:
                    read[block.label] = ids
        return {each for ids in read.values() for each in ids}

    def _dissolve(self, block: Block, store: Store) -> None:
        """Keep what is finished of a block in the run's own store, and delete the block."""
        store.absorb(block.store)
        block.remove()

    def delete(self) -> bool:
        """Delete the folder of the blocks if none is left in it; return whether it is gone."""
        if self.all():
            return False
        self._discard_folder()
        return True

    @property
    def collected(self) -> Path:
        """The folder of blocks that a command has taken from their workers, until what is in them is in the run."""
        return self.run / f".{self.folder.name}.collected"

    def has_results_to_join(self) -> bool:
        """Return whether blocks have results that are not among the run's own, a killed command's included."""
        folders = (self.folder, self.collected)
        blocks = [block for folder in folders for block in block_folders(self.run, folder.name)]
        return any(files_of(folder, JOINING) for folder in folders) or any(map(_count_done, blocks))

    def discard(self) -> None:
        """Delete all blocks, with what is finished in them. A rename takes them from their workers in one step."""
        shutil.rmtree(self.collected, ignore_errors=True)
        self._discard_folder()

    def _discard_folder(self) -> None:
        hidden = self.run / f".{self.folder.name}.deleted"
        shutil.rmtree(hidden, ignore_errors=True)  # what a kill left
        with disk_errors(self.folder):
            try:
                self.folder.replace(hidden)
            except FileNotFoundError:
                return
        shutil.rmtree(hidden, ignore_errors=True)

    # --- what all workers read --------------------------------------------------------------------------------------

    def write(self, name: str, value: Any, worker: Worker) -> None:
        """Store a dataclass in a file that all workers read, in one step."""
        partial = worker.path.with_suffix(f".{name}")
        write_sealed(partial, asdict(value))
        with disk_errors(self.folder / name):
            partial.replace(self.folder / name)

    def write_settled(self, value: Any, block: Block) -> None:
        """Store what was settled on, a dataclass, in one step.

        Args:
            block: that this process has claimed. Raises ClaimLost when another worker has it.
        """
        partial = block.folder.path / "written" / SETTLED
        with block.writing():
            write_sealed(partial, asdict(value), parents=False)
            with disk_errors(self.folder / SETTLED):
                partial.replace(self.folder / SETTLED)

    def read(self, name: str, schema: type[T]) -> T | None:
        """Read such a file; None if there is none. Raises RunError where it is damaged."""
        path = self.folder / name
        if not path.exists():
            return None
        what = f"the file {name} of the blocks"
        text = json.dumps(read_sealed(path, what=what, hint=HINT))
        return parse_json(text, schema, what=what, hint=HINT, where=str(path), error=RunError)

    def is_being_finished(self, worker: Worker) -> bool:
        """Return whether a living worker joins, audits and verifies the run when no block is left."""
        finisher = self.read(FINISHER, Finisher)
        return finisher is not None and worker.is_alive(finisher.token)

    def put_aside_damage(self) -> None:
        """Move damaged files that all workers read to the folder `damaged`. They are written again."""
        for damage in self._damaged_files():
            put_aside(self.run / damage.path, self.run)

    def find_damage(self) -> list[Damage]:
        """Return the damaged lines of the blocks' rows and journals, and the damaged files of all workers."""
        found = []
        logs: list[JsonlLog[Any]] = [JsonlLog(block.path / ROWS, BlockRow) for block in self.all()]
        logs += [JsonlLog(path) for block in self.all() for path in block_journals(block)]
        for log in logs:
            for number, problem in log.damaged_lines().items():
                found.append(Damage(f"{log.path.relative_to(self.run).as_posix()}:{number}", f"is damaged: {problem}"))
        return [*found, *self._damaged_files()]

    def _damaged_files(self) -> list[Damage]:
        """Return which of the files that all workers read are damaged."""
        found = []
        for path in files_of(self.folder, ".json"):
            try:
                read_sealed(path, what="it", hint="")
            except RunError as error:
                found.append(Damage(path.relative_to(self.run).as_posix(), f"is damaged: {error.what}"))
        return found

    # --- progress ---------------------------------------------------------------------------------------------------

    def count_left(self) -> int:
        """Return how many rows have no result yet. Blocks that still nobody has claimed are not counted again."""
        counted, self._counted = self._counted, {}
        left = 0
        for block in self.unfinished():
            done = counted[block.path] if block.path in counted else _count_done(block)
            left += block.rows - done
            if block.state == TODO:
                self._counted[block.path] = done
        return left


def _count_done(block: BlockFolder) -> int:
    """Return how many rows of a block have a result: an embedding, or a line in one of its journals."""
    if files_of(block.path / "index", ".parquet"):
        return block.rows  # its single files are being deleted
    lines = max(map(_count_lines, block_journals(block)), default=0)
    return min(block.rows, max(lines, len(files_of(block.path / "pending", ".safetensors"))))


def block_journals(block: BlockFolder) -> list[Path]:
    """Return the journals in a block that have results of its rows."""
    others = (ROWS, ATTEMPTS, TRIALS, inventory.NAME)
    return [path for path in files_of(block.path, ".jsonl") if path.name not in others]


def _count_lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:  # a worker has just moved the block
        return 0
