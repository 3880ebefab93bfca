"""How many damaged files a fuzz test opens, what counts as an answer to one, and what became of them."""

from __future__ import annotations

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sea_core.errors import SeaError

TRIES = int(os.environ.get("SEA_FUZZ", "0"))
"""Files of each kind, at random; 0: the few of the ordinary tests, always the same."""
FEW = 40
SECONDS = 60
"""A file that takes longer is a hang."""
OUTCOMES: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""What became of the files, by kind."""

T = TypeVar("T")


def with_seeds(test: Callable[..., None], share: float = 1) -> Callable[..., None]:
    """Run a test with many seeds; with `share` of them, if a file takes long."""
    chosen = settings(
        max_examples=max(1, int((TRIES or FEW) * share)),
        derandomize=not TRIES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return chosen(given(seed=st.integers(0, 2**63))(test))


@contextmanager
def in_time() -> Iterator[None]:
    """Raise TimeoutError in a block that hangs."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def read_or_refuse(read: Callable[[], T]) -> T | SeaError:
    """Return what is read, or the error in words. Any other exception is a fault, and so is a hang."""
    with in_time():
        try:
            return read()
        except SeaError as error:
            return error


def count(kind: str, *, refused: bool, damage_named: bool = False) -> None:
    """Count what became of a file: refused, read with its damage named, or read with equal figures."""
    OUTCOMES[kind]["refused" if refused else "read, damage named" if damage_named else "read"] += 1


def plain(value: Any) -> str:
    """Return figures as text, in which NaN equals itself and no order counts: lines may have changed places."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{key}: {plain(item)}" for key, item in value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(sorted(map(plain, value))) + "]"
    return repr(value)
