"""Progress on stderr: a bar with items done, loss, rate and time left; in a log, a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from sea_core.cli import output
from sea_core.errors import visible

EVERY = 30.0
"""Seconds between lines in a log."""


class Bar:
    """A progress bar. Items that an earlier session finished count as done, but not for the rate."""

    def __init__(self, progress: Progress, description: str, total: int, done: int) -> None:
        self.progress, self.description = progress, visible(description)
        self.id = progress.add_task(self.description, total=total, completed=done, note="", rate="", end=None)
        self.began = self.last_line = time.monotonic()
        self.first = done

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        now = time.monotonic()
        end = None if seconds_left is None else now + seconds_left
        self.progress.update(self.id, advance=count, note=visible(note), end=end)
        task = self._task()
        if task.completed == self.first:
            return  # only the note is new
        rate = (task.completed - self.first) / max(now - self.began, 1e-9)
        if seconds_left is None:
            self.progress.update(self.id, rate=f"{rate:.2f}/s" if rate >= 1 else f"{1 / rate:.1f} s each")
            seconds_left = ((task.total or 0) - task.completed) / rate
        if self.progress.disable and now - self.last_line >= EVERY:
            self.last_line = now
            done = f"{self.description} {task.completed:.0f}/{task.total:.0f}"
            output.note(f"{done}  {note}  {seconds_left:.0f} s left")

    def _task(self) -> Task:
        return next(task for task in self.progress.tasks if task.id == self.id)


class TimeLeftColumn(TimeRemainingColumn):
    """The time left: as the work estimates it, or by the rate of all items so far."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        if end is None:
            return super().render(task)
        return Text(str(timedelta(seconds=int(max(end - time.monotonic(), 0)))), style="progress.remaining")


@contextmanager
def bar(description: str, total: int, done: int = 0) -> Iterator[Bar]:
    """Show progress towards `total` items, `done` of which an earlier session finished."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeLeftColumn(),
    )
    console = output.progress()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Bar(progress, description, total, done)


class TerminalProgress:
    """Shows the progress and the remarks of the pipeline on stderr (see `sea_core.pipeline.progress.Progress`)."""

    def track(self, description: str, total: int, done: int = 0) -> AbstractContextManager[Bar]:
        return bar(description, total, done)

    def note(self, text: str) -> None:
        output.note(text)


TERMINAL = TerminalProgress()
