"""Compare the CPU times of two functions, in turns and in one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """How many times as long the baseline takes."""

    median: float
    smallest: float
    largest: float

    def __str__(self) -> str:
        return f"x{self.median:.2f}   ({self.smallest:.2f} to {self.largest:.2f})"


def compare_times(candidate: Callable[[], Any], baseline: Callable[[], Any], rounds: int, warm_up: int = 1) -> Ratio:
    """Return the ratio of CPU times, baseline over candidate, over `rounds` rounds after `warm_up` others."""
    ratios = []
    for number in range(rounds + warm_up):
        pair = [candidate, baseline] if number % 2 else [baseline, candidate]
        seconds = {}
        for run in pair:
            began = process_time()
            run()
            seconds[run] = process_time() - began
        if number >= warm_up:
            ratios.append(seconds[baseline] / seconds[candidate])
    return Ratio(median(ratios), min(ratios), max(ratios))


def print_ratio(name: str, ratio: Ratio) -> None:
    print(f"{name:40s} {ratio}", flush=True)
