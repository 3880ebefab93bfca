"""A block that this process has claimed, or the job that cuts them: its rows, what is finished, who died on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import RunError, number_of
from sea_core.runs.atomic import disk_errors
from sea_core.runs.block_folder import DONE, TODO, BlockFolder
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.store import JOINED, Store
from sea_core.runs.workers import Worker

ROWS = "rows.jsonl"
ATTEMPTS = "attempts.jsonl"
HINT = "Re-run the command that made the run: it cuts the blocks anew. Finished rows are kept."


class ClaimLost(Exception):
    """Another worker took this one for dead, and has taken over its block."""


class BlockRow(TypedDict):
    """A line of `rows.jsonl`: what is to be done, and the id of its result."""

    id: str
    value: dict[str, Any]


class Attempt(TypedDict):
    """A line of `attempts.jsonl` in a block.

    `row` is the id of a row that the worker has begun to make alone, without others. It is empty where the worker has
    died while it had the block.
    """

    worker: str
    row: str


class Block:
    """A block, or the job `settle`, that this process has claimed."""

    def __init__(self, folder: BlockFolder) -> None:
        self.folder = folder

    @cached_property
    def rows(self) -> list[BlockRow]:
        """What the block consists of, in its order; each row has an `id`. None if another worker has moved it.

        Raises:
            RunError: it is damaged.
        """
        path = self.folder.path / ROWS
        try:
            rows = JsonlLog(path, BlockRow).read()
        except RunError as error:
            raise RunError(error.what, hint=HINT, where=error.where) from error
        if len(rows) != self.folder.rows and self.folder.path.is_dir():
            what = f"the block has {number_of(len(rows), 'row')} instead of {self.folder.rows}"
            raise RunError(what, hint=HINT, where=str(path))
        return rows

    @cached_property
    def store(self) -> Store:
        """What is finished of the block. Damaged files in it are put aside, and made again."""
        store = Store(self.folder.path, self.folder)
        store.put_aside_damage()
        return store

    def begin_alone(self, row_id: str, worker: Worker) -> None:
        """Store that a row is made alone from now on. Raises ClaimLost when another worker has the block."""
        with self.writing():
            self._attempts.append([{"worker": worker.token, "row": row_id}])

    def add_death(self, token: str) -> None:
        """Store that a worker has died while it had the block."""
        with self.writing():
            self._attempts.append([{"worker": token, "row": ""}])

    def deaths(self, row_id: str = "") -> int:
        """Return how many workers have died while they had the block, or while they made a row of it alone."""
        attempts = self._attempts.read(skip_damaged=True)
        dead = {attempt["worker"] for attempt in attempts if not attempt["row"]}
        return len(dead & {attempt["worker"] for attempt in attempts if attempt["row"] == row_id})

    @property
    def _attempts(self) -> JsonlLog[Attempt]:
        return JsonlLog(self.folder.path / ATTEMPTS, Attempt)

    def left(self) -> list[BlockRow]:
        """Return the rows that have no result yet."""
        done = self.store.ids()
        return [row for row in self.rows if row["id"] not in done]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raise ClaimLost where a write inside this context fails because another worker has the block."""
        try:
            yield
        except RunError as error:
            if not self.folder.path.is_dir():
                raise ClaimLost from error
            raise

    def add(self, record: Any, features: Any) -> None:
        """Store a result; it is on disk when this returns. Raises ClaimLost when another worker has the block."""
        with self.writing():
            self.store.append(record, features)

    def finish(self) -> None:
        """Make a part of the results, and mark the block as done. Raises ClaimLost when another worker has it."""
        with self.writing():
            self.store.flush([row["id"] for row in self.rows])
        if not self.folder.moved_to(DONE):
            raise ClaimLost

    def release(self) -> None:
        """Leave the block, and what is finished of it, to others."""
        self.folder.moved_to(TODO)

    def remove(self) -> None:
        """Delete the block; its rows are in others."""
        hidden = self.folder.path.with_name(f".{self.folder.path.name}{JOINED}")
        with disk_errors(hidden):
            try:
                self.folder.path.replace(hidden)
            except FileNotFoundError as error:
                raise ClaimLost from error
        shutil.rmtree(hidden, ignore_errors=True)
