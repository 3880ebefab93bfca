"""One progress bar on stderr: rows done, loss or rate, time left. Silent where stderr is not a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sea_core.cli import output


class Bar:
    """The bar, as a command sees it."""

    def __init__(self, progress: Progress, total: int, what: str) -> None:
        self.progress = progress
        self.task = progress.add_task(what, total=total, note="")

    def advance(self, count: int = 1, note: str = "") -> None:
        self.progress.update(self.task, advance=count, note=note)


@contextmanager
def bar(what: str, total: int, done: int = 0) -> Iterator[Bar]:
    """Show progress towards `total`, `done` of which an earlier session finished."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=output.progress()) as progress:
        shown = Bar(progress, total, what)
        shown.advance(done)
        yield shown
