"""A soak: workers on one run, one of which is killed every few seconds, against one quiet worker.

    PYTHONPATH=tests python -m drills.soak --rows 5000 --workers 4 --minutes 20

Nothing may be lost, doubled or damaged, no worker's memory may grow, and all embeddings must be those of the quiet run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import psutil

from helpers.stored import stored_ids
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.runs.embedding_run import EmbeddingRun

SEA = [sys.executable, "-m", "sea_core.cli"]
SETTINGS = ("-o", "adapter.seconds=0.5", "-o", "loss=1", "-o", "margin=0", "-o", "batch_size=4")
ALLOWED_GROWTH = 1.2
"""By how much a worker's memory may exceed that of all workers while they made the first fifth."""


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=8.0, help="between two kills, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", type=Path, help="the quiet run, if it was made before")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    rows = _write_rows(folder / "rows.jsonl", options.rows)
    run = folder / "run"
    _sea("optimize", rows, "--plugin", "qwen2_audio", "--out", run, *SETTINGS, "-o", "workers=0")
    kills, memory = _disturb(run, options)
    quiet = options.quiet or folder / "quiet"
    if not options.quiet:
        _sea("optimize", rows, "--plugin", "qwen2_audio", "--out", quiet, *SETTINGS, "--no-verify")
    problems = _compare(EmbeddingRun(run), EmbeddingRun(quiet))
    print(f"{options.rows} rows, {options.workers} workers, {kills} kills; memory of a worker in MB: {memory}")
    print("\n".join(problems) or "nothing lost, doubled or damaged, and every embedding is the quiet run's")
    sys.exit(bool(problems))


def _write_rows(path: Path, count: int) -> Path:
    records = [json.loads(line) for line in DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps(records[i % len(records)] | {"id": f"example-{i:05d}"}) for i in range(count)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _sea(*arguments: object) -> None:
    code = subprocess.run([*SEA, *map(str, arguments)], stdout=subprocess.DEVNULL, check=False).returncode
    assert code in (0, 1), code


def _start(run: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*SEA, "worker", str(run)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _disturb(run: Path, options: object) -> tuple[int, str]:
    """Let workers work, and kill them at random until the time is up; then let them finish. Return what was seen."""
    given = vars(options)
    rng = random.Random(given["seed"])
    workers = [_start(run) for _ in range(given["workers"])]
    until, kills, first, last = time.monotonic() + 60 * given["minutes"], 0, 0.0, 0.0
    while EmbeddingRun(run).blocks.unfinished():
        time.sleep(rng.expovariate(1 / given["seconds"]) if time.monotonic() < until else 2.0)
        used = [_memory(worker) for worker in workers if worker.poll() is None]
        last = max(used, default=last)
        if 0 < len(EmbeddingRun(run).store.ids()) <= given["rows"] / 5:
            first = max(first, *used, 0.0)
        if time.monotonic() < until:
            victim = rng.randrange(len(workers))
            workers[victim].kill()
            workers[victim].wait()
            kills += 1
        for number, worker in enumerate(workers):
            if worker.poll() is not None and EmbeddingRun(run).blocks.unfinished():
                workers[number] = _start(run)
    for worker in workers:
        worker.wait()
    assert last <= ALLOWED_GROWTH * first or not first, f"memory grew from {first:.0f} to {last:.0f} MB"
    _sea("worker", run)  # if the one that audits was killed
    return kills, f"at most {first:.0f} in the first fifth, {last:.0f} at the end"


def _memory(worker: subprocess.Popen[bytes]) -> float:
    try:
        return float(psutil.Process(worker.pid).memory_info().rss / 1e6)
    except psutil.Error:
        return 0.0


def _compare(run: EmbeddingRun, quiet: EmbeddingRun) -> list[str]:
    """Return what is wrong with a run, compared with the quiet one."""
    found, expected = ({r["id"]: r for r in each.records()} for each in (run, quiet))
    stored = Counter(stored_ids(run.folder))
    problems = [f"lost: {name}" for name in expected.keys() - found.keys()]
    problems += [f"doubled: {name}" for name, count in stored.items() if count > 1]
    problems += [f"damaged: {damage.path} {damage.problem}" for damage in run.store.find_damage(cached=False)]
    differing = [name for name in found if found[name]["sha256"] != expected.get(name, found[name])["sha256"]]
    problems += [f"different: {name}" for name in differing]
    return problems + (["blocks are left"] if (run.folder / "blocks").exists() else [])


if __name__ == "__main__":
    main()
