"""Run a function in a child process: if it hangs, takes all memory or crashes, the others go on."""

from __future__ import annotations

import multiprocessing
import resource
import warnings
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, from Python 3.12 on
        process.start()
    child.close()
    try:
        while parent.poll(seconds):
            try:
                yield parent.recv()
            except EOFError:
                process.join()
                if process.exitcode:
                    raise Stopped(f"the process ended with exit code {process.exitcode}") from None
                return
        raise Stopped(f"it takes more than {seconds:g} s")
    finally:
        process.kill()
        process.join()


def _run(connection: Connection, function: Callable[..., Iterator[Any]], args: tuple[Any, ...]) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for result in function(*args):
        connection.send(result)
    connection.close()
