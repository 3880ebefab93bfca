"""Blocks in object storage, for workers that share no disk.

A worker works in a folder of its own, with the store and the blocks of any run folder. What workers share crosses as
whole objects: the rows of a block when it is claimed, single results every few seconds, and the part of a block when it
is finished. Who has a block is decided by its log (block_log.py). Objects lie under the token of the worker that wrote
them, so that one that was taken for dead overwrites nothing.

    blocks/start.json                the token of the command that has prepared the run
    blocks/TOKEN/...                 what it has prepared: run.json, order.json, rows.jsonl
    blocks/TOKEN/plan.json           which blocks the worker with this token has cut, and what it has settled on
    blocks/TOKEN/LABEL/...           the rows of a block, single results of it, or its part
    blocks/log/LABEL.NUMBER.json     the logs
    blocks/workers/TOKEN.json        written again by each worker as long as it lives
"""

from __future__ import annotations

import json
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sea_core.errors import RunError
from sea_core.runs.block import ATTEMPTS, ROWS, Attempt, Block, ClaimLost
from sea_core.runs.block_folder import BLOCKS, DONE, SETTLE, TODO, BlockFolder, files_of
from sea_core.runs.block_log import REFRESH_SECONDS, BlockClaim, BlockEntry, BlockLogs, attempts
from sea_core.runs.blocks import SETTLED, TRIALS, Blocks
from sea_core.runs.containment import is_file_name
from sea_core.runs.inventory import NAME as INVENTORY
from sea_core.runs.inventory import Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import read_sealed, write_sealed
from sea_core.runs.object_store import ObjectStore
from sea_core.runs.workers import STALE_SECONDS, Worker, has_ended
from sea_core.schema import parse_json

LABEL = re.compile(r"\d{5,}")
"""Of a block. It is a name in folders here."""
WORKERS, PLAN, PENDING = f"{BLOCKS}/workers", "plan.json", "pending"
HINT = "Somebody has changed what is stored there. Make the run again, at another address."


@dataclass(frozen=True)
class BlockPlan:
    """The content of `plan.json`: which blocks there are.

    Attributes:
        token: of the worker that has cut them.
        rows: how many rows each has, by its label.
        done: the labels of those that this worker has finished, because all others start from them.
        files: what else it has settled on: names of files.
    """

    token: str
    rows: Mapping[str, int]
    done: tuple[str, ...]
    files: tuple[str, ...]


class ObjectBlock(Block):
    """A block of a run in object storage, or the job that cuts them, that this process has claimed.

    Args:
        claim: through which other workers see what becomes of it; None for a block that is not published yet.
    """

    def __init__(self, folder: BlockFolder, blocks: ObjectBlocks, claim: BlockClaim | None) -> None:
        super().__init__(folder)
        self.blocks, self.claim = blocks, claim

    def begin_alone(self, row_id: str, worker: Worker) -> None:
        if self.claim:
            self.claim.add("alone", row_id)
        super().begin_alone(row_id, worker)

    def finish(self) -> None:
        super().finish()
        if self.claim:
            self.blocks.publish_part(self.folder.named(DONE), self.claim)

    def release(self) -> None:
        if self.claim:
            self.blocks.give_back(self.claim)
        else:
            super().release()

    def remove(self) -> None:
        if self.claim:
            self.blocks.publish_plan(self.claim)
        super().remove()


class ObjectBlocks(Blocks):
    """The blocks of a run in object storage.

    Args:
        run: the folder that this process works in, alone.
        start: the token of the command that has prepared the run.
    """

    def __init__(self, run: Path, store: ObjectStore, start: str) -> None:
        super().__init__(run)
        self.store, self.start, self.logs = store, start, BlockLogs(store)
        self._plan: BlockPlan | None = None
        self._claims: dict[str, BlockClaim] = {}
        self._sent: set[tuple[str, str]] = set()  # the single results that others can fetch: label and file name
        self._sending = threading.Lock()

    def worker(self) -> ObjectWorker:
        return ObjectWorker(self.workers, self.store, self.send_results)

    # --- what there is ----------------------------------------------------------------------------------------------

    def plan(self) -> BlockPlan | None:
        """Return which blocks there are; None as long as nobody has cut them."""
        self.logs.refresh()
        last = self.logs.last(SETTLE)
        if self._plan is None and last and last.state == "done":
            self._plan = self._fetch_plan(last.token)
        return self._plan

    def is_settling(self) -> bool:
        return self.plan() is None

    def unfinished(self) -> list[BlockFolder]:
        if (plan := self.plan()) is None:
            return [self._described(SETTLE, 0)]
        return [self._described(label, rows) for label, rows in plan.rows.items() if not self._done_by(label, plan)]

    def count_left(self) -> int:
        if self.plan() is None:  # this process is cutting the blocks
            return sum(block.rows if block.label == SETTLE else -_count_single(block) for block in self.all())
        claimed = [block for block in self.all() if block.label in self._claims and block.is_claimed]
        return sum(block.rows for block in self.unfinished()) - sum(map(_count_single, claimed))

    def _done_by(self, label: str, plan: BlockPlan) -> str:
        """Return the token of the worker that has finished a block; empty if none has."""
        if label in plan.done:
            return plan.token
        last = self.logs.last(label)
        return last.token if last and last.state == "done" else ""

    def _described(self, label: str, rows: int) -> BlockFolder:
        """Return a block that this process does not have, with its attempts where a `Block` has them."""
        path = self.folder / "known" / label
        _write_attempts(path / ATTEMPTS, self.logs.entries(label))
        return BlockFolder(path, label, rows, TODO)

    # --- claims -----------------------------------------------------------------------------------------------------

    def claim_settling(self, worker: Worker) -> Block | None:
        if self.plan() or not self._is_free(SETTLE, worker):
            return None
        return self._claim_label(SETTLE, f"{BLOCKS}/{self.start}", worker)

    def claim_job(self, label: str, worker: Worker) -> BlockClaim | None:
        """Claim a job without rows, such as to finish the run; None if another worker does it, or has done it."""
        self.logs.refresh()
        return self._hold(label, worker) if self._is_free(label, worker) else None

    def _claim(self, worker: Worker, wanted: Callable[[BlockFolder], bool]) -> Block | None:
        for block in self.all():  # those that are not published yet: all others start from them
            if block.state == TODO and wanted(block) and (claimed := block.moved_to(worker.token)):
                return ObjectBlock(claimed, self, None)
        if (plan := self.plan()) is None:
            return None
        waiting = sorted(self.unfinished(), key=lambda block: bool(self.logs.entries(block.label)))
        while waiting:
            label = (block := waiting.pop(0)).label
            if wanted(block) and self._is_free(label, worker):
                if found := self._claim_label(label, f"{BLOCKS}/{plan.token}/{label}", worker):
                    return found
                random.shuffle(waiting)  # another worker is claiming from this end
        return None

    def _is_free(self, label: str, worker: Worker) -> bool:
        last = self.logs.last(label)
        return last is None or not (last.state == "done" or (last.is_claim and worker.is_alive(last.token)))

    def _hold(self, label: str, worker: Worker) -> BlockClaim | None:
        if claim := self.logs.claim(label, worker.token):
            self._claims[label] = claim
        return claim

    def _claim_label(self, label: str, rows: str, worker: Worker) -> Block | None:
        """Claim a block, and fetch it with what is finished of it; None if another worker was faster.

        Args:
            rows: the folder in the storage that has its rows.
        """
        entries = [*self.logs.entries(label), BlockEntry("claimed", worker.token)]
        if not (claim := self._hold(label, worker)):
            return None
        partial = worker.path.with_suffix("")
        shutil.rmtree(partial, ignore_errors=True)
        _exhaust(self.store.fetch({f"{rows}/{ROWS}": partial / ROWS} | self._single_results(label, entries, partial)))
        _write_attempts(partial / ATTEMPTS, entries)
        count = len(JsonlLog(partial / ROWS).read())
        folder = BlockFolder(self.folder / label, label, count, "").named(worker.token)
        partial.rename(folder.path)
        return ObjectBlock(folder, self, claim)

    def _single_results(self, label: str, entries: Sequence[BlockEntry], folder: Path) -> dict[str, Path]:
        """Return the single results that workers have left of a block, and where they go in a folder."""
        found = {}
        for token in dict.fromkeys(entry.token for entry in entries):
            place = f"{BLOCKS}/{token}/{label}/{PENDING}"
            for name in filter(is_file_name, self.store.times(place)):
                local = f"{token}-{name}"
                found[f"{place}/{name}"] = folder / PENDING / local
                self._sent.add((label, local))
        return found

    # --- what others see --------------------------------------------------------------------------------------------

    def send_results(self) -> None:
        """Send the single results that were finished since the last time, so that a kill does not cost them."""
        with self._sending:
            for block in self.all():
                claim = self._claims.get(block.label)
                if claim is None or not block.is_claimed or block.label == SETTLE:
                    continue
                for path in files_of(block.path / PENDING, ".safetensors"):
                    if (block.label, path.name) not in self._sent:
                        with suppress(FileNotFoundError):  # the block has just been finished
                            name = f"{_place(claim)}/{PENDING}/{path.name}"
                            self.store.write(name, path.read_bytes(), quick=True)
                            self._sent.add((block.label, path.name))

    def give_back(self, claim: BlockClaim) -> None:
        """Leave a block, and what is finished of it, to others."""
        with suppress(ClaimLost, RunError):  # then others take it over
            self.send_results()
            claim.add("released")
        self.drop(claim)

    def release(self, worker: Worker) -> None:
        for claim in list(self._claims.values()):
            self.give_back(claim)

    def _add_deaths(self, worker: Worker) -> None:
        for claim in list(self._claims.values()):
            with suppress(ClaimLost, RunError):
                self.send_results()
                claim.add("died")
            self.drop(claim)

    def publish_part(self, block: BlockFolder, claim: BlockClaim) -> None:
        """Send the part of a finished block. Raises ClaimLost when another worker has taken the block over."""
        _exhaust(self.store.send(_part_files(block, claim)))
        try:
            claim.add("done")
        except ClaimLost:
            self.drop(claim)
            raise
        self._claims.pop(block.label, None)

    def publish_plan(self, claim: BlockClaim) -> None:
        """Send the blocks that were cut, and what was settled on. Raises ClaimLost when another worker does so."""
        blocks = [block for block in self.all() if block.label != SETTLE]
        root = f"{BLOCKS}/{claim.token}"
        found = {SETTLED: self.folder / SETTLED, TRIALS: self.run / TRIALS}
        settled = {name: path for name, path in found.items() if path.exists()}
        done = [block for block in blocks if block.is_done]
        rows = {block.label: block.rows for block in blocks}
        plan = BlockPlan(claim.token, rows, tuple(block.label for block in done), tuple(settled))
        write_sealed(self.folder / PLAN, asdict(plan))
        files = {f"{root}/{name}": path for name, path in (settled | {PLAN: self.folder / PLAN}).items()}
        files |= {f"{root}/{block.label}/{ROWS}": block.path / ROWS for block in blocks}
        for block in done:
            files |= _part_files(block, claim)
        try:
            _exhaust(self.store.send(files))
            claim.add("done")
        except ClaimLost:
            done = []
            raise
        finally:
            for block in blocks:
                if block not in done:
                    shutil.rmtree(block.path, ignore_errors=True)
        self._claims.pop(SETTLE, None)
        self._plan = plan

    def drop(self, claim: BlockClaim) -> None:
        """Forget a block or a job that this process has no more."""
        self._claims.pop(claim.label, None)
        for block in self.all():
            if block.label == claim.label:
                shutil.rmtree(block.path, ignore_errors=True)

    # --- what others have done --------------------------------------------------------------------------------------

    def _fetch_plan(self, token: str) -> BlockPlan:
        root, path = f"{BLOCKS}/{token}", self.folder / PLAN
        what, where = "the plan of the blocks", f"{self.store.address}/{root}/{PLAN}"
        _exhaust(self.store.fetch({f"{root}/{PLAN}": path}))
        text = json.dumps(read_sealed(path, what=what, hint=HINT))
        plan = parse_json(text, BlockPlan, what=what, hint=HINT, where=where, error=RunError)
        if plan.token != token or not all(LABEL.fullmatch(label) for label in (*plan.rows, *plan.done)):
            raise RunError(f"{what} names a block that SEA does not write", hint=HINT, where=where)  # a path, perhaps
        places = {SETTLED: self.folder / SETTLED, TRIALS: self.run / TRIALS}
        _exhaust(self.store.fetch({f"{root}/{name}": path for name, path in places.items() if name in plan.files}))
        for label in plan.done:
            self._fetch_part(label, plan)
        return plan

    def labels(self) -> list[str]:
        """Return the labels of all blocks, done or not."""
        plan = self.plan()
        return list(plan.rows) if plan else []

    def fetch_parts(self) -> Iterator[str]:
        """Fetch the parts of all blocks that this folder does not have; yield the label of each block."""
        plan = self.plan()
        for label in self.labels():
            assert plan
            self._fetch_part(label, plan)
            yield label

    def _fetch_part(self, label: str, plan: BlockPlan) -> None:
        target = BlockFolder(self.folder / label, label, plan.rows[label], "").named(DONE).path
        if target.is_dir():
            return
        place, partial = f"{BLOCKS}/{self._done_by(label, plan)}/{label}", self.folder / "fetched"
        shutil.rmtree(partial, ignore_errors=True)
        _exhaust(self.store.fetch({f"{place}/{INVENTORY}": partial / INVENTORY}))
        _exhaust(self.store.fetch({f"{place}/{name}": partial / name for name in Inventory(partial).files()}))
        partial.rename(target)

    def part_objects(self) -> dict[str, str]:
        """Return the objects of all parts by their names in the run."""
        plan, found = self.plan(), dict[str, str]()
        for label in self.labels():
            assert plan
            part = BlockFolder(self.folder / label, label, plan.rows[label], "").named(DONE).path
            place = f"{BLOCKS}/{self._done_by(label, plan)}/{label}"
            found |= {name: f"{place}/{name}" for name in Inventory(part).files()}
        return found


class ObjectWorker(Worker):
    """This process as a worker on a run in object storage. Ages are compared by the clock of the storage.

    Args:
        on_beat: called after each time that this worker has shown that it lives.
    """

    def __init__(self, folder: Path, store: ObjectStore, on_beat: Callable[[], None]) -> None:
        super().__init__(folder)
        self.store, self.on_beat = store, on_beat
        self._times: dict[str, float] = {}
        self._read_at = float("-inf")

    @contextmanager
    def registered(self) -> Iterator[Worker]:
        try:
            with super().registered():
                self.store.write(f"{WORKERS}/{self.path.name}", self.path.read_bytes())
                yield self
        finally:  # after the last beat
            with suppress(RunError):
                self.store.delete([f"{WORKERS}/{self.path.name}"])

    def is_alive(self, token: str) -> bool:
        if token == self.token:
            return True
        if time.monotonic() - self._read_at >= REFRESH_SECONDS:
            self._times, self._read_at = self.store.times(WORKERS), time.monotonic()
        path = self.folder / f"{token}.json"
        changed, own = self._times.get(path.name), self._times.get(self.path.name)
        if changed is None:
            return False
        if not path.exists() and (content := self.store.read(f"{WORKERS}/{path.name}")):
            path.write_bytes(content)
        return not has_ended(path) and (own is None or own - changed < STALE_SECONDS)

    def _touch(self) -> None:
        super()._touch()
        with suppress(RunError, OSError):  # a storage that is away for a moment
            self.store.write(f"{WORKERS}/{self.path.name}", self.path.read_bytes(), quick=True)
            self.on_beat()


def _place(claim: BlockClaim) -> str:
    """Return the folder in the storage of what a worker has done of a block."""
    return f"{BLOCKS}/{claim.token}/{claim.label}"


def _part_files(block: BlockFolder, claim: BlockClaim) -> dict[str, Path]:
    """Return the files of a finished block by the names of their objects."""
    place = f"{BLOCKS}/{claim.token}/{block.label}"
    return {f"{place}/{name}": block.path / name for name in (INVENTORY, *Inventory(block.path).files())}


def _write_attempts(path: Path, entries: Sequence[BlockEntry]) -> None:
    """Store what a log shows of deaths as a block in a folder does."""
    if found := attempts(entries):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        JsonlLog(path, Attempt).append(found)


def _count_single(block: BlockFolder) -> int:
    return len(files_of(block.path / PENDING, ".safetensors"))


def _exhaust(names: Iterator[str]) -> None:
    for _ in names:
        pass
