"""How long work reports its progress, whoever shows it: the command line draws bars, a library call stays silent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

LOGGER = logging.getLogger("sea")


class Tracker(Protocol):
    """Progress of one piece of work."""

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        """Report that `count` more items are done; `note` describes the last one.

        Args:
            seconds_left: an estimate for the others, where the mean of all items would be none; None if it is one.
        """


class Progress(Protocol):
    """Shows progress and remarks."""

    def track(self, description: str, total: int, done: int = 0) -> AbstractContextManager[Tracker]:
        """Show progress towards `total` items, `done` of which an earlier session finished."""

    def note(self, text: str) -> None:
        """Show a remark that is not part of the result."""


class _SilentTracker:
    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        pass


class SilentProgress:
    """Shows no progress; remarks go to Python's logger `sea`."""

    @contextmanager
    def track(self, description: str, total: int, done: int = 0) -> Iterator[Tracker]:
        yield _SilentTracker()

    def note(self, text: str) -> None:
        LOGGER.info(text)


SILENT = SilentProgress()
