"""Progress on stderr: a bar with rows done, loss, rate and time left; off a terminal, a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sea_core.cli import output

EVERY = 30.0
"""Seconds between lines in a log."""


class Bar:
    """The bar, as a command sees it. Rows that an earlier session finished count as done, not as fast."""

    def __init__(self, progress: Progress, what: str, total: int, done: int) -> None:
        self.progress, self.what = progress, what
        self.id = progress.add_task(what, total=total, completed=done, note="", rate="")
        self.began = self.told = time.monotonic()
        self.first = done

    def advance(self, count: int = 1, note: str = "") -> None:
        now = time.monotonic()
        self.progress.update(self.id, advance=count, note=note)
        task = self._task()
        rate = (task.completed - self.first) / max(now - self.began, 1e-9)
        self.progress.update(self.id, rate=f"{rate:.2f}/s" if rate >= 1 else f"{1 / rate:.1f} s each")
        if self.progress.disable and now - self.told >= EVERY:
            self.told = now
            left = (task.total or 0) - task.completed
            output.note(f"{self.what} {task.completed:.0f}/{task.total:.0f}  {note}  {left / rate:.0f} s left")

    def _task(self) -> Task:
        return next(task for task in self.progress.tasks if task.id == self.id)


@contextmanager
def bar(what: str, total: int, done: int = 0) -> Iterator[Bar]:
    """Show progress towards `total`, `done` of which an earlier session finished."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = output.progress()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Bar(progress, what, total, done)
