"""Run `sea` in a process of its own, and stop it at a point that is given in advance.

The process is forked, so that libraries are imported once and not for each stop. The points are those before each file
operation in the watched folder (open for writing, fsync, rename, unlink, mkdir, rmdir, chmod, truncate), which Python's
audit events report, and moments in time.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.cli import __main__, stop

PATIENCE = 300.0
"""Seconds after which a command hangs."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
SIGNALS = {
    "kill": (signal.SIGKILL,),
    "cut": (signal.SIGKILL,),
    "term": (signal.SIGTERM,),
    "int": (signal.SIGINT,),
    "int, int": (signal.SIGINT, signal.SIGINT),
}
"""The signals of each kind of stop. `cut`: besides, the file that was to be flushed loses its last bytes."""
CRASHED = 70
"""The exit code of a process that ends with a traceback."""
CUT_BYTES = 30
"""How many bytes a cut write may lack: less than a line of a journal has."""


@dataclass(frozen=True)
class Stop:
    """A point at which a command is stopped.

    Attributes:
        kind: a key of `SIGNALS`.
        operation: the number of the file operation before which it is stopped, from 1.
        seconds: instead, how long it runs.
        later: after how many further operations the second signal is sent. cut: how many bytes the write lacks.
    """

    kind: str
    operation: int | None = None
    seconds: float = 0.0
    later: int = 1
    cut: int = 1


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative for a signal), what it printed, how far it came.

    `written` has what the command reported as written: (file, record as JSON) for each.
    """

    code: int
    err: str
    operations: int
    seconds: float
    written: Sequence[tuple[str, str]]

    @property
    def stopped(self) -> bool:
        return self.code in (-signal.SIGKILL, stop.CODE)


def draw_stop(rng: random.Random, operations: int, seconds: float) -> Stop:
    """Draw a stop of a command that takes so many operations and seconds."""
    kind = rng.choices(list(SIGNALS), weights=(5, 2, 1, 1, 2))[0]
    if kind != "cut" and rng.random() < 0.25:
        return Stop(kind, seconds=rng.uniform(0, seconds))
    return Stop(kind, rng.randint(1, max(operations, 1)), later=rng.randint(1, 4), cut=rng.randint(1, CUT_BYTES))


def run(arguments: Sequence[object], folder: Path, at: Stop | None = None) -> Ended:
    """Run `sea` in a folder, which is its current one and watched, and stop it there if it comes that far."""
    base = folder.with_name(f"{folder.name}.process")
    base.mkdir(exist_ok=True)
    began = time.monotonic()
    child = fork(lambda: _run_sea(arguments, folder, base, at))
    ended = select.poll()
    handle = os.pidfd_open(child)
    ended.register(handle, select.POLLIN)
    if at and at.operation is None and not ended.poll(at.seconds * 1000):
        for number in SIGNALS[at.kind]:
            with suppress(ProcessLookupError):
                os.kill(child, number)
                time.sleep(0.02)
    if not ended.poll(PATIENCE * 1000):
        os.kill(child, signal.SIGABRT)
    os.close(handle)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds = time.monotonic() - began
    written = [tuple(json.loads(line)) for line in (base / "written").read_text().splitlines()]
    operations = len((base / "operations").read_bytes())
    return Ended(code, (base / "err").read_text(errors="replace"), operations, seconds, written)


def call(function: Callable[[], Any]) -> Any:
    """Return what a function returns, computed in a process of its own; its value goes through JSON.

    The parent imports and forks only: threads that libraries start in it would be missing in the children.
    """
    reading, writing = os.pipe()

    def send() -> None:
        with os.fdopen(writing, "w") as pipe:
            json.dump(function(), pipe)

    child = fork(send)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    assert text, "the process failed"
    return json.loads(text)


def fork(function: Callable[[], None]) -> int:
    """Start a process that calls a function and ends with its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()
    child, code = os.fork(), 0
    if child:
        return child
    try:
        function()
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:  # noqa: BLE001  # this process must not go on as its parent
        code = CRASHED
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run_sea(arguments: Sequence[object], folder: Path, base: Path, at: Stop | None) -> None:
    """Run the command line in this process, as `sea` does."""
    os.chdir(folder)
    for number in stop.SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(base / name, flags), stream)
    written, operations = (os.open(base / name, flags) for name in ("written", "operations"))
    report_writes(written)
    stop_before_operation(folder, operations, at)
    sys.argv = ["sea", *map(str, arguments)]
    __main__.main()


def report_writes(pipe: int) -> None:
    """Let every record that a journal or a store has written be reported as such."""
    from sea_core.runs.jsonl import JsonlLog
    from sea_core.runs.store import Store

    append, append_result = JsonlLog.append, Store.append

    def report(path: Path, values: Iterable[object]) -> None:
        os.write(pipe, "".join(f"{json.dumps([str(path), json.dumps(value)])}\n" for value in values).encode())

    def append_and_report(log: JsonlLog, records: Iterable[Any]) -> None:
        listed = list(records)
        append(log, listed)
        report(log.path, listed)

    def append_result_and_report(store: Store, record: Any, features: Any) -> None:
        append_result(store, record, features)
        report(store.run, [record["id"]])

    JsonlLog.append = append_and_report  # type: ignore[method-assign]
    Store.append = append_result_and_report  # type: ignore[method-assign]


def stop_before_operation(folder: Path, counter: int, at: Stop | None) -> None:
    """Write a byte for each operation in a folder to `counter`, and stop this process before the one of `at`."""
    count, root, real_fsync = 0, f"{folder}{os.sep}", os.fsync

    def step(flushed: str = "") -> None:
        nonlocal count
        count += 1
        os.write(counter, b".")
        if at is None or at.operation is None:
            return
        if flushed and at.kind == "cut" and count >= at.operation:
            os.truncate(flushed, max(os.stat(flushed).st_size - at.cut, 0))  # noqa: PTH116
            os.kill(os.getpid(), signal.SIGKILL)
        if at.kind != "cut" and count == at.operation:
            os.kill(os.getpid(), SIGNALS[at.kind][0])
        if at.kind == "int, int" and count == at.operation + at.later:
            os.kill(os.getpid(), signal.SIGINT)

    def watch(event: str, details: tuple[Any, ...]) -> None:
        changes = event in EVENTS or (event == "open" and details[2] & WRITES)
        changes = changes and not isinstance(details[0], int)
        if changes and _absolute(details[0]).startswith(root):
            step()

    def fsync(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        path = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        if path.startswith(root):
            step("" if os.path.isdir(path) else path)  # noqa: PTH112
        real_fsync(handle)

    os.fsync = fsync
    sys.addaudithook(watch)


def _absolute(path: str | bytes | os.PathLike[str]) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # links are not followed
