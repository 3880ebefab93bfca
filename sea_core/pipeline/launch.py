"""Several workers on this computer: a process for each GPU, or as many as were asked for."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import psutil

from sea_core.errors import RunError, SeaError, number_of
from sea_core.model.device_map import are_several, resolve_devices
from sea_core.optimization.config import Auto
from sea_core.plugin.loader import FILE_VERSION

if TYPE_CHECKING:
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.progress import Progress
    from sea_core.runs.blocks import Blocks

PARENT = "SEA_WORKER_PARENT"
"""The environment variable with the process that has started a worker, and that it ends with."""
LAUNCHED_FOR = "SEA_WORKER_BLOCKS"
"""The environment variable with the name of the blocks that a worker was started for: it works on no others."""
RESTARTS = 5
"""How often a worker that dies is started again, if nothing is finished meanwhile: more than it takes to give up a row
that kills its process (see `Block.deaths`)."""
POLL_SECONDS = 0.25
JOIN_SECONDS = 2.0
"""How often what is finished is joined to the run, and counted."""
STOP_SECONDS = 30.0
"""How long a worker may take to stop before it is killed."""
FAULT_LINES = 12
"""How many lines of a dead worker's output are shown."""
EXPLAINED = 2
"""The exit code of a command that has said what is wrong: it would be wrong again."""


@dataclass(frozen=True)
class WorkerCommand:
    """What `sea worker` is started with, besides the run.

    Attributes:
        device: of the model. arguments: further ones.
        settings: of the judges, by their prefix. An address may have a password, so they are in no command line.
    """

    device: str
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, target: ModelTarget) -> WorkerCommand:
        """Return the command of a worker with a model: the one that the user has named here, or the run's."""
        arguments: tuple[str, ...] = ()
        if target.plugin.version.startswith(FILE_VERSION):
            arguments += ("--plugin", target.source)
        if target.may_download and target.checkpoint:
            arguments += ("--model", target.checkpoint)
        return cls(target.device, arguments)


def count_workers(setting: int | Auto, device: str) -> int:
    """Return how many processes are to work on a run: with `auto` one for each GPU, and one on GPUs that are named.

    Raises:
        SeaError: several are to work on the same devices that the model is spread over.
    """
    if setting == "auto":
        return len(_shared_gpus(device)) or 1
    if setting > 1 and are_several(device):
        raise SeaError(
            f"{setting} workers cannot share {device}: each would load the whole model onto these devices",
            hint="Leave out workers. Where there are more GPUs, a worker joins with its own: "
            "sea worker RUN --device cuda:2,cuda:3",
        )
    return setting


def _shared_gpus(device_name: str) -> list[str]:
    """Return the GPUs that workers are to share; none on a CPU, or where one GPU is named, as in `cuda:1`."""
    device = resolve_devices(device_name).main
    return _visible_gpus() if device.type == "cuda" and device.index is None else []


def _visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",") if given else [str(number) for number in range(torch.cuda.device_count())]


def launch(
    blocks: Blocks,
    command: WorkerCommand,
    workers: int,
    *,
    title: str,
    total: int,
    join: Callable[[], None],
    progress: Progress,
    pool: WorkerPool | None = None,
) -> None:
    """Start workers, watch over them until all blocks are done, and start again those that die.

    Args:
        pool: workers for these blocks that wait already (see `WorkerPool`); they have ended when this returns.
        title: of the progress. total: how many rows there are, with those that were done before.
        join: joins what is finished to the run; called now and then.

    Raises:
        RunError: a worker cannot do its work, or each has died too often.
    """
    left, joined = blocks.count_left(), time.monotonic()
    with ExitStack() as context:
        pool = pool or context.enter_context(WorkerPool(blocks, command, workers, progress).started())
        context.callback(pool.stop)
        tracker = context.enter_context(progress.track(title, total, total - left))
        pool.begin()
        while blocks.unfinished():
            time.sleep(POLL_SECONDS)
            if not pool.watch():
                break
            if time.monotonic() - joined >= JOIN_SECONDS:
                join()
                joined, now = time.monotonic(), blocks.count_left()
                if now < left:
                    tracker.advance(left - now, f"{number_of(len(pool.workers), 'worker')}")
                    left = now
                    pool.forgive()
        tracker.advance(left - blocks.count_left(), "done")
        if pool.given_up == workers and blocks.unfinished():
            hint = "What is finished is kept. Remove the cause, and re-run the same command to resume."
            raise RunError(f"all {workers} workers have died", hint=hint, where=str(blocks.run))


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


class WorkerPool:
    """The workers of a launch. They may be started before the blocks are there: they wait for `begin`."""

    def __init__(self, blocks: Blocks, command: WorkerCommand, count: int, progress: Progress) -> None:
        self.blocks, self.command, self.count, self.progress = blocks, command, count, progress
        self.gpus = _shared_gpus(command.device)
        self.settings_file = ""
        self.workers: list[_Launched] = []
        self.given_up = 0

    @contextmanager
    def started(self) -> Iterator[WorkerPool]:
        """Start the workers; at the end of the context those that still run are stopped, on errors and Ctrl-C too."""
        with ExitStack() as context:
            context.callback(self.stop)
            if self.command.settings:
                file = context.enter_context(tempfile.NamedTemporaryFile("w", suffix=".yaml"))  # for its owner only
                json.dump(self.command.settings, file)
                file.flush()
                self.settings_file = file.name
            for number in range(self.count):
                output = context.enter_context(tempfile.TemporaryFile())
                self.workers.append(_Launched(number, self._start(number, output), output))
            yield self

    def begin(self) -> None:
        """Let the workers begin: there are blocks."""
        for worker in self.workers:
            _let_begin(worker.process)

    def stop(self) -> None:
        """Stop the workers that still run."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self.workers:
            try:
                worker.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.process.stdin:
                worker.process.stdin.close()

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

    def forgive(self) -> None:
        """Forget how often workers have died: there is progress."""
        for worker in self.workers:
            worker.starts = 1

    def _restart(self, worker: _Launched, code: int) -> None:
        again = worker.starts <= RESTARTS
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        then = "it is started again" if again else "it has died too often, and the others go on without it"
        self.progress.note(f"worker {worker.number} has died ({how}): {then}\n  {worker.last_lines()}".rstrip())
        if not again:
            self.workers.remove(worker)
            self.given_up += 1
            return
        worker.output.seek(0)  # the worker writes where this process has read to
        worker.output.truncate()
        worker.process, worker.starts = self._start(worker.number, worker.output), worker.starts + 1
        _let_begin(worker.process)

    def _start(self, number: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
        environment = os.environ | {PARENT: str(os.getpid()), LAUNCHED_FOR: self.blocks.folder.name}
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[number % len(self.gpus)]
        else:
            environment.setdefault("OMP_NUM_THREADS", str(max(1, psutil.cpu_count() // self.count)))
        return subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,  # see `await_work`
            stdout=subprocess.DEVNULL,
            stderr=output,
            env=environment,
            process_group=0,  # Ctrl-C reaches this process only, which stops its workers with one signal each
        )

    def _command(self) -> list[str]:
        command, run = self.command, str(self.blocks.run)
        settings = ["--config", self.settings_file] if self.settings_file else []
        python = [sys.executable, "-P", "-m", "sea_core.cli"]
        return [*python, "worker", run, "--device", command.device, *command.arguments, *settings]


def _let_begin(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with suppress(BrokenPipeError), process.stdin:  # a worker that has died is noticed later
        process.stdin.write(b"\n")


def await_work() -> None:
    """Wait until the process that has launched this one has blocks for it; meanwhile import what takes long.

    Raises SystemExit where that process has ended.
    """
    if not select.select([sys.stdin], [], [], 0)[0]:
        import transformers.modeling_utils  # noqa: F401
    if not sys.stdin.buffer.readline():
        raise SystemExit(0)
