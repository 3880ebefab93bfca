"""Ctrl-C at any time: the command stops with one line and exit code 130. SIGTERM is treated alike.

While a command runs, the first signal raises KeyboardInterrupt, so that what is finished is stored and what is claimed
is given back; where Python only prints what is raised, as in `__del__`, it is raised again a moment later. Before and
after that, and at a second signal, the process ends at once: every file is whole or not there, as after a kill.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

CODE = 130
STOPPED, RESUME = "Stopped.", "Re-run the same command to resume"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_SECONDS = 0.01
END_SECONDS = 5
"""How long a stopped process may wait for its threads. One that was interrupted at its start never ends."""

can_resume = False
"""Whether the command goes on where it was stopped. The command line sets it when it knows the command."""


def message() -> str:
    """Return what is printed when a command is stopped."""
    return f"{STOPPED} {RESUME}." if can_resume else STOPPED


def leave(*_: object) -> None:
    """End the process now."""
    show_cursor = "\x1b[?25h" if os.isatty(2) else ""
    os.write(2, f"{show_cursor}\n{message()}\n".encode())
    os._exit(CODE)


def leave_on_signal() -> None:
    """Let a signal end the process at once, also where Python would only print what it raises, as in `__del__`."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup`, and jobs in the background of a script
            signal.signal(number, leave)
    report = sys.unraisablehook

    def leave_or_report(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            leave()
        report(unraisable)

    sys.unraisablehook = leave_or_report


@contextmanager
def stopping_cleanly() -> Iterator[None]:
    """Inside the block the first signal raises KeyboardInterrupt. Whatever becomes of that, the exit code is 130.

    A library that is interrupted while it is imported may raise an error of its own.
    """
    stopped, report = False, sys.unraisablehook

    def stop(number: int, frame: FrameType | None) -> Any:
        nonlocal stopped
        stopped = True
        _replace(stop, leave)
        raise KeyboardInterrupt

    def stop_again_or_report(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt) and hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)  # when what swallowed it, as `__del__` does, is over
        else:
            report(unraisable)

    _replace(leave, stop)
    sys.unraisablehook = stop_again_or_report
    try:
        yield
    finally:
        sys.unraisablehook = report
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        _replace(stop, leave)
        error = sys.exc_info()[1]
        if stopped:
            if isinstance(error, SystemExit) and error.code in (None, 0, CODE):
                _end_soon(error.code or 0)
            else:
                sys.stderr.write(f"{message()}\n")
                _end_soon(CODE)
                raise SystemExit(CODE)


def _end_soon(code: int | str) -> None:
    """End the process in a while, in case Python waits for threads that never end."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # closed, or a full disk
            stream.flush()
    timer = threading.Timer(END_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _replace(old: Any, new: Any) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is old:
            signal.signal(number, new)
