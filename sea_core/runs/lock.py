"""One writer at a time: a lock beside what is written, which goes with the process that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sea_core.errors import RunError
from sea_core.runs.atomic import disk_errors


@contextmanager
def locked(lock: Path, what: Path) -> Iterator[None]:
    """Hold `what`, a folder or a file, for this process, by a lock file that is made with the folder it lies in.

    Raises:
        RunError: another process has it, or the disk does not take the lock.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock)
    with disk_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire(timeout=0)
        except Timeout as error:
            raise RunError(
                f"another process is writing to {what}",
                hint="Wait until it is done, and type the same command again; or give another place with --out.",
            ) from error
    try:
        yield
    finally:
        held.release()
