"""A process that is killed at a chosen moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def kill_after(calls: int, *names: str) -> None:
    """Kill this process before a call of one of these functions of `os`, once `calls` of them have been made."""
    made = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            if made == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1
            return real(*args, **kwargs)

        return call

    for name in names:
        setattr(os, name, counted(getattr(os, name)))
