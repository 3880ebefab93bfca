"""One writer at a time: a lock file that is released when its process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOENT
from os import strerror
from pathlib import Path

from sea_core.errors import RunError
from sea_core.runs.atomic import disk_errors


class Locked(RunError):
    """Another process has the lock."""


@contextmanager
def locked(lock: Path, target: Path, *, wait: float = 0.0, parents: bool = False) -> Iterator[None]:
    """Lock a folder or a file for this process.

    Args:
        lock: the lock file.
        target: what is locked, for the message.
        wait: seconds to wait for another process that has the lock.
        parents: make the folder of the lock file if it is missing.

    Raises:
        Locked: another process has the lock.
        RunError: the lock file cannot be written, or its folder is missing.
    """
    from filelock import FileLock, Timeout

    file_lock = FileLock(lock)
    with disk_errors(lock):
        if parents:
            lock.parent.mkdir(parents=True, exist_ok=True)
        elif not lock.parent.is_dir():  # FileLock would make it
            raise FileNotFoundError(ENOENT, strerror(ENOENT), str(lock.parent))
        try:
            file_lock.acquire(timeout=wait)
        except Timeout as error:
            raise Locked(
                f"another process is writing to {target}",
                hint="Wait until it has ended and re-run the same command, or pass another folder with --out.",
            ) from error
    try:
        yield
    finally:
        file_lock.release()
