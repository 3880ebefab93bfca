"""Workers on a Ray cluster: actors that join a run as `sea worker` does. Ray starts again those that die."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sea_core.errors import DeviceError, RunError, SeaError, number_of
from sea_core.model.libraries import install_command
from sea_core.pipeline.launch import RESTARTS
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.block import HINT
from sea_core.runs.block_folder import block_names
from sea_core.runs.blocks import ORDER, Blocks
from sea_core.runs.folder_kind import command_to_show
from sea_core.runs.manifest import read_sealed

POLL_SECONDS = 0.5
END_SECONDS = 30.0
"""How long the actor that finishes the run may take to end."""
NAME = "sea-worker"
"""With which the names of the actors begin, as Ray shows them."""


class RayWorker:
    """An actor: a process, on any computer of the cluster, that works on a run."""

    def work(self, folder: str, options: dict[str, Any]) -> Mapping[str, int] | str | None:
        """Work on the run; return what failed if it is finished by this worker, or what is wrong, for people."""
        from sea_core.pipeline.worker import join_run

        try:
            finished = join_run(folder, **options)
        except DeviceError:
            os._exit(1)  # Ray starts this worker again, as a process that a driver's crash has ended
        except SeaError as error:
            return str(error)
        return dict(finished.failures) if finished else None


def work_on_ray(
    folder: Path, count: int, options: Mapping[str, Any], progress: Progress = SILENT
) -> Mapping[str, int] | None:
    """Let actors work on a run until nothing is left; each has a GPU, where the cluster has any.

    Actors for which the cluster has no room start when it has; what they have not begun by the end is cancelled.

    The cluster is that of RAY_ADDRESS; without it, one is started on this computer.

    Args:
        options: what `join_run` takes besides the folder and the progress.

    Returns:
        how many failed, by what failed, if the run is finished; None if there was nothing to do.

    Raises:
        SeaError: Ray is not installed.
        RunError: a worker cannot do its work, or all have died too often.
    """
    ray = _import_ray()
    if not command_to_show(folder):
        raise RunError(f"{folder} is not a run folder", hint="Give the folder that a command prints with workers=0.")
    if not _blocks(folder):
        progress.note(f"nothing is left to do in {folder}")
        return None
    began_here = not ray.is_initialized()
    if began_here:
        ray.init(address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False)
    try:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        restarts = {"max_restarts": RESTARTS, "max_task_retries": RESTARTS}
        actor = ray.remote(num_cpus=1, num_gpus=gpus, **restarts)(RayWorker)
        actors = [actor.options(name=f"{NAME}-{os.getpid()}-{number}").remote() for number in range(count)]
        calls = [each.work.remote(str(folder.absolute()), dict(options)) for each in actors]
        _note_room(ray, count, gpus, progress)
        finished = _watch(ray, folder, calls, progress)
        for each in actors:
            ray.kill(each)
    finally:
        if began_here:
            ray.shutdown()
    return finished


def _watch(ray: Any, folder: Path, calls: list[Any], progress: Progress) -> Mapping[str, int] | None:
    """Wait until the run is finished, and show what is done; return what failed. Another process may finish it."""
    total, left, died, count = _total(folder), _count_left(folder), 0, len(calls)
    failures: Mapping[str, int] | None = None
    with progress.track("work", total, total - left) as tracker:
        while calls and _blocks(folder):
            ready, calls = ray.wait(calls, timeout=POLL_SECONDS)
            for call in ready:
                try:
                    result = ray.get(call)
                except ray.exceptions.RayError as error:
                    progress.note(f"a worker has died too often, and the others go on without it: {error}")
                    died += 1
                    continue
                if isinstance(result, str):
                    hint = f"Remove the cause, and type: {_command(folder, count)}"
                    raise RunError(f"a worker cannot work:\n  {result}", hint=hint)
                failures = failures if result is None else {**(failures or {}), **result}
            if (now := _count_left(folder)) < left:
                tracker.advance(left - now, number_of(len(calls), "worker"))
                left = now
    if not (blocks := _blocks(folder)):
        return _wait_for_failures(ray, calls) if failures is None else failures
    if died or any(each.unfinished() for each in blocks):
        hint = f"What is finished is kept. Remove the cause, and type: {_command(folder, count)}"
        raise RunError(f"{died} of {count} workers have died", hint=hint, where=str(folder))
    return None


def _wait_for_failures(ray: Any, calls: list[Any]) -> Mapping[str, int]:
    """Return what failed, as the worker says that has finished the run: it ends after the blocks are gone."""
    until = time.monotonic() + END_SECONDS
    while calls and (left := until - time.monotonic()) > 0:
        ready, calls = ray.wait(calls, timeout=left)
        for call in ready:
            with suppress(ray.exceptions.RayError):  # the others have nothing to say
                if isinstance(result := ray.get(call), dict):
                    return result
    return {}


def _blocks(folder: Path) -> list[Blocks]:
    """Return the blocks of the commands that have work in a run."""
    return [Blocks(folder, name) for name in block_names(folder) if (folder / name / ORDER).is_file()]


def _count_left(folder: Path) -> int:
    return sum(blocks.count_left() for blocks in _blocks(folder))


def _total(folder: Path) -> int:
    """Return how many rows the commands have, with those that were done before."""
    orders = [read_sealed(blocks.folder / ORDER, what="the work order", hint=HINT) for blocks in _blocks(folder)]
    return sum(int(order["total"]) for order in orders)


def _note_room(ray: Any, count: int, gpus: int, progress: Progress) -> None:
    """Say how many workers the cluster has room for, if they are fewer."""
    what = "GPU" if gpus else "CPU"
    room = int(ray.cluster_resources().get(what, 0))
    if room < count:
        progress.note(f"the cluster has {room} {what}s: {count - room} of {count} workers wait until it has more")


def _command(folder: Path, count: int) -> str:
    return f"sea worker {folder} --ray {count}"


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SeaError("Ray is not installed", hint=f"Type: {install_command('sea-core[ray]')}") from error
    return ray
