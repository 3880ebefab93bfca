"""The processes that work on one run folder. Each has a file there, which it touches as long as it lives.

A worker whose file is old, or whose process is gone from this computer, is dead: its blocks may be taken over. Ages
are compared by the clock of the file system alone, because the clocks of two computers differ.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from pydantic import ValidationError
from typing_extensions import TypedDict

from sea_core.runs.atomic import disk_errors
from sea_core.runs.manifest import current_time
from sea_core.schema import adapter, read_bytes

BEAT_SECONDS = 10.0
"""How often a worker touches its file."""
STALE_SECONDS = 120.0
"""The age of a worker's file at which it counts as dead: more than NFS caches the times of a file (60 s)."""


class WorkerRecord(TypedDict):
    """The content of a worker's file.

    `place` is the computer, or the container in it, in which `pid` is the number of a process. `born` is when that
    process was started, because numbers are used again: on Linux in clock ticks since the computer was started, which
    no correction of its clock changes; elsewhere in seconds.
    """

    host: str
    place: str
    pid: int
    born: float
    since: str


class Worker:
    """This process as a worker on a run folder, while it is registered.

    Attributes:
        token: what its claims are marked with.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, secrets.token_hex(8)
        self.path = folder / f"{self.token}.json"
        self._ended = threading.Event()

    @contextmanager
    def registered(self) -> Iterator[Worker]:
        """Register this process inside the block, and touch its file every BEAT_SECONDS."""
        with disk_errors(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write()
        thread = threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def is_alive(self, token: str) -> bool:
        """Return whether the worker with a token lives, as far as can be seen from here."""
        if token == self.token:
            return True
        path = self.folder / f"{token}.json"
        if has_ended(path):
            return False
        changed = _changed(path)
        return changed is not None and self.now() - changed < STALE_SECONDS

    def now(self) -> float:
        """Return the time by the clock of the file system."""
        self._touch()
        return _changed(self.path) or 0.0

    def _keep_alive(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._touch()

    def _touch(self) -> None:
        try:
            os.utime(self.path)  # without a time: that of the file server
        except FileNotFoundError:  # another worker took this one for dead
            with suppress(OSError):
                self._write()
        except OSError:  # a file server that is away for a moment
            pass

    def _write(self) -> None:
        born = _process_start(os.getpid()) or 0.0
        record = WorkerRecord(host=platform.node(), place=place(), pid=os.getpid(), born=born, since=current_time())
        self.path.write_text(json.dumps(record) + "\n", encoding="utf-8")


@cache
def place() -> str:
    """Return what identifies this computer since it was started, and the container that this process runs in."""
    if sys.platform == "linux":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    if sys.platform == "darwin":
        return subprocess.check_output(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], text=True).strip()
    return f"{platform.node()}:{uuid.getnode():x}"  # names of computers are often the same


def has_ended(path: Path) -> bool:
    """Return whether a worker's file is that of a process of this computer that is gone."""
    record = _read(path)
    return record is not None and record["place"] == place() and not _is_running(record)


def _read(path: Path) -> WorkerRecord | None:
    """Return the content of a worker's file; None where there is none. A damaged file has an age only."""
    try:
        record: WorkerRecord = adapter(WorkerRecord).validate_json(read_bytes(path), strict=True)
    except (OSError, ValidationError):
        return None
    return record


def _changed(path: Path) -> float | None:
    """Return when a file was last changed; None where there is none. It is opened, for NFS to ask the server."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.fstat(handle).st_mtime
    finally:
        os.close(handle)


def _is_running(record: WorkerRecord) -> bool:
    return _process_start(record["pid"]) == record["born"]


def _process_start(pid: int) -> float | None:
    """Return when a process was started (see `WorkerRecord`); None where it is not running."""
    if sys.platform == "linux":
        return _start_in_ticks(pid)
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, ValueError, OverflowError):
        return None


def _start_in_ticks(pid: int) -> float | None:
    """Return when a process was started, from Linux's process table (man proc_pid_stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # what precedes is the number and the name of the process
    return None if fields[0] in "ZX" else float(fields[19])
