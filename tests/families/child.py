"""Run a function in a child process, so that neither time, memory nor a crash of it stops the others."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

SECONDS = 90
MEMORY = 8 << 30
"""Bytes of data."""


class Stopped(Exception):
    """The child did not end by itself; says why."""


def run_in_child(function: Callable[..., Iterator[Any]], *args: Any, seconds: float = SECONDS) -> Iterator[Any]:
    """Yield what a generator function yields, run in a child under limits of time and memory.

    Raises:
        Stopped: The child crashed, or was slower than `seconds` from one result to the next.
    """
    context = multiprocessing.get_context("fork")
    parent, child = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(child, function, args))
    process.start()
    child.close()
    try:
        while parent.poll(seconds):
            try:
                yield parent.recv()
            except EOFError:
                process.join()
                if process.exitcode:
                    raise Stopped(f"the process crashed (exit code {process.exitcode})") from None
                return
        raise Stopped(f"it takes more than {seconds:.0f} s")
    finally:
        process.kill()
        process.join()


def _run(connection: Connection, function: Callable[..., Iterator[Any]], args: tuple[Any, ...]) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for result in function(*args):
        connection.send(result)
    connection.close()
