"""What every worker does with the blocks of a run: claim, settle, work, wait. Commands differ in what they do of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from sea_core.model.device_error import described_device_errors
from sea_core.runs.block import Block
from sea_core.runs.block_folder import BlockFolder
from sea_core.runs.blocks import ORDER, Blocks

if TYPE_CHECKING:
    from sea_core.pipeline.progress import Tracker
    from sea_core.runs.workers import Worker

WAIT_SECONDS = 0.5
"""How long a worker waits for others before it asks again."""
DEATHS = 2
"""How many workers may die on a block before its rows are made one at a time, and on such a row before it fails."""
COUNT_SECONDS = 2.0
"""How often a worker counts what the others have done."""


class BlockWorker(ABC):
    """Works on the blocks of a run, beside any number of other workers.

    Attributes:
        worker: this process, registered.
        order: what the workers are to do, as this process has read it.
    """

    worker: Worker
    order: Any
    is_outdated: bool = False
    """Whether a command has changed the order since."""

    @property
    @abstractmethod
    def blocks(self) -> Blocks:
        """The blocks of the run."""

    @abstractmethod
    def load(self) -> None:
        """Load what all blocks need, while another worker settles what they depend on."""

    @abstractmethod
    def settle(self, job: Block) -> None:
        """Determine what all rows depend on, and cut the blocks."""

    @abstractmethod
    def work_on_blocks(self) -> bool:
        """Claim blocks and do their rows; return whether there was any to claim."""

    def work(self) -> None:
        """Work until nothing is left to do, by this worker or another, or until a command has changed the order.

        What is finished stays, whatever happens.

        Raises:
            DeviceError: the device is out of memory, or has failed.
        """
        with described_device_errors():
            self._work_on_all()

    def _work_on_all(self) -> None:
        while self.blocks.unfinished() and not self.is_outdated:
            if job := self.checked(self.blocks.claim_settling(self.worker)):
                self.settle(job)
            elif self.blocks.is_settling():
                self.load()
                time.sleep(WAIT_SECONDS)
            elif not self.work_on_blocks():
                time.sleep(WAIT_SECONDS)

    def checked(self, block: Block | None) -> Block | None:
        """Return a block that this worker has claimed; None, if it belongs to another work order than this worker.

        A command may have replaced the run, or added to it, since this worker was started. As the order is read after
        the claim, and blocks are placed after their order, what passes belongs to this order: if the blocks are
        replaced after that, this block is gone, and with it whatever is written to it.
        """
        if block and self.blocks.read(ORDER, type(self.order)) != self.order:
            self.is_outdated = True
            block.release()
            return None
        return block


def may_kill(block: BlockFolder) -> bool:
    """Return whether so many workers have died on a block that one of its rows may be the cause."""
    return Block(block).deaths() >= DEATHS


class RowCounter:
    """Counts the rows that are done: by this worker at once, by others now and then."""

    def __init__(self, blocks: Blocks, tracker: Tracker, left: int) -> None:
        self.blocks, self.tracker, self.left = blocks, tracker, left
        self.counted = time.monotonic()

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        """Count what this worker has done, and what others have."""
        self.left -= count
        self.tracker.advance(count, note, seconds_left)
        if time.monotonic() - self.counted < COUNT_SECONDS:
            return
        self.counted, left = time.monotonic(), self.blocks.count_left()
        if left < self.left:
            self.tracker.advance(self.left - left, note)
            self.left = left
