"""A simulated cluster: workers that claim blocks, die and are replaced; how much of their time makes embeddings.

Each row takes as long as its steps, drawn from the distribution that was measured (docs/performance.md). A worker dies
at a constant rate. It loses the rows in progress, a new one takes its place after a while, and its block is taken over
when the claim is stale and no other block is left.
"""

from __future__ import annotations

import heapq
import math
import random
from argparse import ArgumentParser
from dataclasses import dataclass

STEPS_MEDIAN, STEPS_SPREAD = 60.0, 0.5
"""The median number of steps, and the standard deviation of its logarithm."""


@dataclass(frozen=True)
class Cluster:
    """What is simulated; times are in seconds.

    Attributes:
        row: a row of median length, of a worker that makes `batch` at a time.
        start: from a worker's death until another one has loaded the model.
        stale: the age at which a claim may be taken over.
        claim: to claim, finish and join a block.
        hours_between_deaths: of one worker.
    """

    rows: int = 1_000_000
    workers: int = 1024
    row: float = 30.0
    batch: int = 8
    start: float = 180.0
    stale: float = 120.0
    claim: float = 0.5
    hours_between_deaths: float = 24.0


@dataclass(frozen=True)
class Outcome:
    """How it went: hours until all is done, and the parts of all workers' time that were useful, lost and waited."""

    hours: float
    useful: float
    lost: float
    waited: float
    taken_over: int


def simulate(cluster: Cluster, block: int, rng: random.Random) -> Outcome:
    """Simulate a run in blocks of so many rows."""
    sizes = [min(block, cluster.rows - begin) for begin in range(0, cluster.rows, block)]
    waiting = [(0.0, _duration(cluster, size, rng)) for size in reversed(sizes)]  # (from when, seconds of work)
    stale: list[tuple[float, float]] = []
    free = [(rng.uniform(0, cluster.start), number) for number in range(cluster.workers)]
    heapq.heapify(free)
    useful = lost = 0.0
    end, taken_over = 0.0, 0
    while waiting or stale:
        now, number = heapq.heappop(free)
        if waiting:
            _, work = waiting.pop()
        else:
            ready, work = heapq.heappop(stale)
            now, taken_over = max(now, ready), taken_over + 1
        death = rng.expovariate(1 / (3600 * cluster.hours_between_deaths))
        if death > work + cluster.claim:
            useful, end = useful + work, max(end, now + work + cluster.claim)
            heapq.heappush(free, (now + work + cluster.claim, number))
            continue
        in_progress = min(death, cluster.row / 2)  # of each slot, the half of a row on average
        useful, lost = useful + death - in_progress, lost + in_progress
        heapq.heappush(stale, (now + death + cluster.stale, work - (death - in_progress)))
        heapq.heappush(free, (now + death + cluster.start, number))
    total = end * cluster.workers
    return Outcome(end / 3600, useful / total, lost / total, 1 - (useful + lost) / total, taken_over)


def _duration(cluster: Cluster, rows: int, rng: random.Random) -> float:
    """Return the seconds of a block: its rows share the slots of a batch, and the next block fills free slots."""
    steps = sum(rng.lognormvariate(math.log(STEPS_MEDIAN), STEPS_SPREAD) for _ in range(rows))
    return cluster.row * steps / STEPS_MEDIAN / cluster.batch


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("| block | hours between deaths | hours | useful | lost | waiting and starting | blocks taken over |")
    print("|---|---|---|---|---|---|---|")
    for block in (8, 16, 32, 64, 128, 256, 512):
        for between in (4.0, 24.0, 240.0):
            cluster = Cluster(options.rows, options.workers, hours_between_deaths=between)
            found = simulate(cluster, block, random.Random(options.seed))
            parts = f"{found.useful:.1%} | {found.lost:.2%} | {found.waited:.1%} | {found.taken_over}"
            print(f"| {block} | {between:.0f} | {found.hours:.2f} | {parts} |", flush=True)


if __name__ == "__main__":
    main()
