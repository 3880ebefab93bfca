"""Several workers on this computer: a process for each GPU, or as many as were asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import psutil

from sea_core.errors import RunError
from sea_core.model.placement import resolve_device
from sea_core.optimization.config import Auto
from sea_core.plugin.loader import FILE_VERSION

if TYPE_CHECKING:
    from sea_core.pipeline.inputs import ModelTarget
    from sea_core.pipeline.progress import Progress
    from sea_core.pipeline.work_order import WorkOrder
    from sea_core.runs.embedding_run import EmbeddingRun

PARENT = "SEA_WORKER_PARENT"
"""The environment variable with the process that has started a worker, and that it ends with."""
RESTARTS = 3
"""How often a worker that dies is started again."""
POLL_SECONDS = 0.25
JOIN_SECONDS = 2.0
"""How often what is finished is joined to the run."""
STOP_SECONDS = 30.0
"""How long a worker may take to stop before it is killed."""
FAULT_LINES = 12
"""How many lines of a dead worker's output are shown."""
EXPLAINED = 2
"""The exit code of a command that has said what is wrong: it would be wrong again."""


def count_workers(setting: int | Auto, target: ModelTarget) -> int:
    """Return how many processes are to work on a run."""
    if setting != "auto":
        return setting
    return len(_visible_gpus()) if resolve_device(target.device).type == "cuda" else 1


def _visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",") if given else [str(number) for number in range(torch.cuda.device_count())]


def launch(
    run: EmbeddingRun, target: ModelTarget, order: WorkOrder, join: Callable[[], None], progress: Progress
) -> None:
    """Start workers, watch over them until all blocks are done, and start again those that die.

    Args:
        join: joins what is finished to the run; called now and then.

    Raises:
        RunError: a worker cannot do its work, or each has died too often.
    """
    blocks, left, joined = run.blocks, run.blocks.count_left(), time.monotonic()
    track = progress.track("optimize", order.total, order.total - left)
    with _Pool(run, target, order.workers, progress) as pool, track as tracker:
        while blocks.unfinished():
            time.sleep(POLL_SECONDS)
            if not pool.watch() and blocks.unfinished():
                hint = "What is finished is kept. Remove the cause, and re-run the same command to resume."
                raise RunError(f"all {order.workers} workers have died", hint=hint, where=str(run.folder))
            if (now := blocks.count_left()) < left:
                tracker.advance(left - now, f"{len(pool.workers)} workers")
                left = now
            if time.monotonic() - joined >= JOIN_SECONDS:
                join()
                joined = time.monotonic()
        tracker.advance(left, "done")


@dataclass
class _Launched:
    """A worker's process. `output` is what it has printed."""

    number: int
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    starts: int = 1

    def last_lines(self) -> str:
        """Return the end of what it has printed."""
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines()
        return "\n  ".join(lines[-FAULT_LINES:])


class _Pool:
    """The workers of a launch. At the end of the block those that still run are stopped, on errors and Ctrl-C too."""

    def __init__(self, run: EmbeddingRun, target: ModelTarget, count: int, progress: Progress) -> None:
        self.run, self.target, self.count, self.progress = run, target, count, progress
        self.gpus = _visible_gpus() if target.device in ("auto", "cuda") and target.device_name() == "cuda" else []
        self.workers: list[_Launched] = []

    def __enter__(self) -> _Pool:
        for number in range(self.count):
            output = tempfile.TemporaryFile()  # closed at the end of the block
            self.workers.append(_Launched(number, self._start(number, output), output))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self.workers:
            try:
                worker.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.output.close()

    def watch(self) -> int:
        """Start again the workers that have died; return how many are at work.

        Raises:
            RunError: a worker has said that it cannot do its work: the others cannot either.
        """
        for worker in list(self.workers):
            code = worker.process.poll()
            if code is None:
                continue
            if code == EXPLAINED:
                hint = "This is what it said. Remove the cause, and re-run the same command to resume."
                raise RunError(f"worker {worker.number} cannot work:\n  {worker.last_lines()}", hint=hint)
            if code == 0:
                self.workers.remove(worker)
            else:
                self._restart(worker, code)
        return len(self.workers)

    def _restart(self, worker: _Launched, code: int) -> None:
        again = worker.starts <= RESTARTS
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        then = "it is started again" if again else "it has died too often, and the others go on without it"
        self.progress.note(f"worker {worker.number} has died ({how}): {then}\n  {worker.last_lines()}".rstrip())
        if not again:
            self.workers.remove(worker)
            return
        worker.output.truncate(0)
        worker.process, worker.starts = self._start(worker.number, worker.output), worker.starts + 1

    def _start(self, number: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
        environment = os.environ | {PARENT: str(os.getpid())}
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[number % len(self.gpus)]
        else:
            environment.setdefault("OMP_NUM_THREADS", str(max(1, psutil.cpu_count() // self.count)))
        command = [
            sys.executable,
            "-P",
            "-m",
            "sea_core.cli",
            "worker",
            str(self.run.folder),
            "--device",
            self.target.device,
        ]
        if self.run.manifest.identity.model.plugin_version.startswith(FILE_VERSION):
            command += ["--plugin", self.target.source]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output, env=environment
        )
