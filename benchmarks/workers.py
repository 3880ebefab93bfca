"""Several workers against one on the same rows: launched, joined by hand, and on Ray. The embeddings must be equal."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.runs.embedding_run import EmbeddingRun

SEA = [sys.executable, "-m", "sea_core.cli"]


def write_rows(path: Path, count: int) -> Path:
    """Write the demo examples as often as it takes, with ids of their own."""
    records = [json.loads(line) for line in DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps(records[i % len(records)] | {"id": f"example-{i:05d}"}) for i in range(count)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(*commands: list[str]) -> None:
    """Run commands at the same time, each on one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen([*SEA, *c], env=environment, stdout=subprocess.DEVNULL) for c in commands]
    codes = [process.wait() for process in started]
    assert set(codes) <= {0, 1}, codes


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--plugin", default="qwen2_audio")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-ray", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="workers-"))
    rows, count = write_rows(folder / "rows.jsonl", options.rows), str(options.workers)
    base = ["optimize", str(rows), "--plugin", options.plugin, "--no-verify"]

    def optimise(name: str, workers: str) -> list[str]:
        return [*base, "--out", str(folder / name), "-o", f"workers={workers}"]

    def join(name: str, *more: str) -> list[str]:
        return ["worker", str(folder / name), *more]

    ways: dict[str, Callable[[str], None]] = {
        "one worker": lambda name: run(optimise(name, "1")),
        f"workers={count}": lambda name: run(optimise(name, count)),
        f"{count} joined by hand": lambda name: (
            run(optimise(name, "0")),
            run(*[join(name) for _ in range(options.workers)]),
        )[0],
        f"{count} on Ray": lambda name: (run(optimise(name, "0")), run(join(name, "--ray", count)))[0],
    }
    if options.no_ray:
        del ways[f"{count} on Ray"]
    print(f"{options.rows} rows, {options.plugin}; load before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores\n")
    print("| | seconds | rows a second | speed-up | overhead, seconds | CPU seconds | load after |")
    print("|---|---|---|---|---|---|---|")
    first, expected = 0.0, dict[str, str]()
    for number, (way, start) in enumerate(ways.items()):
        began, used = time.monotonic(), cpu_seconds()
        start(str(number))
        seconds, used = time.monotonic() - began, cpu_seconds() - used
        digests = {r["id"]: r["sha256"] for r in EmbeddingRun(folder / str(number)).records()}
        first, expected = first or seconds, expected or digests
        assert digests == expected, f"{way}: other embeddings"
        overhead = seconds - first / options.workers if number else 0.0
        speed = f"{options.rows / seconds:.2f} | {first / seconds:.2f} | {overhead:.1f}"
        print(f"| {way} | {seconds:.0f} | {speed} | {used:.0f} | {os.getloadavg()[0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
