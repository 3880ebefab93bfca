"""Workers on a Ray cluster: actors that join a run as `sea worker` does. Ray starts again those that die."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sea_core.errors import DeviceError, RunError, SeaError
from sea_core.model.libraries import install_command
from sea_core.pipeline.launch import RESTARTS
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.work_order import WorkOrder
from sea_core.runs.blocks import ORDER
from sea_core.runs.embedding_run import EmbeddingRun

POLL_SECONDS = 0.5
END_SECONDS = 5.0
"""How long actors may take to end when the run is finished."""
NAME = "sea-worker"
"""With which the names of the actors begin, as Ray shows them."""


class RayWorker:
    """An actor: a process, on any computer of the cluster, that works on a run."""

    def work(self, folder: str, options: dict[str, Any]) -> tuple[bool, str]:
        """Work on the run; return whether this worker finished it, and what is wrong, for people."""
        from sea_core.pipeline.join import work

        try:
            return work(folder, **options) is not None, ""
        except DeviceError:
            os._exit(1)  # Ray starts this worker again, as a process that a driver's crash has ended
        except SeaError as error:
            return False, str(error)


def work_on_ray(
    folder: Path, count: int, *, plugin: str | None, model: str | None, device: str, progress: Progress = SILENT
) -> EmbeddingRun | None:
    """Let actors work on a run until it is finished; each has a GPU, where the cluster has any.

    Actors for which the cluster has no room start when it has; what they have not begun by the end is cancelled.

    The cluster is that of RAY_ADDRESS; without it, one is started on this computer.

    Raises:
        SeaError: Ray is not installed.
        RunError: a worker cannot do its work, or all have died too often.
    """
    ray = _import_ray()
    run = EmbeddingRun(folder)
    if _is_finished(run):
        progress.note(f"nothing is left to do in {run.folder}")
        return None
    options = {"plugin": plugin, "model": model, "device": device}
    began_here = not ray.is_initialized()
    if began_here:
        ray.init(address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False)
    try:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        restarts = {"max_restarts": RESTARTS, "max_task_retries": RESTARTS}
        actor = ray.remote(num_cpus=1, num_gpus=gpus, **restarts)(RayWorker)
        actors = [actor.options(name=f"{NAME}-{os.getpid()}-{number}").remote() for number in range(count)]
        calls = [each.work.remote(str(folder.absolute()), options) for each in actors]
        _note_room(ray, count, gpus, progress)
        finished = _watch(ray, run, calls, progress)
        for each in actors:
            ray.kill(each)
    finally:
        if began_here:
            ray.shutdown()
    return EmbeddingRun(folder) if finished else None


def _watch(ray: Any, run: EmbeddingRun, calls: list[Any], progress: Progress) -> bool:
    """Wait until the run is finished, and show what is done; return whether it is. Another process may finish it."""
    total, left, died, count = run.manifest.metadata.embeddings, run.blocks.count_left(), 0, len(calls)
    with progress.track("optimize", total, total - left) as tracker:
        while calls and not _is_finished(run):
            ready, calls = ray.wait(calls, timeout=POLL_SECONDS)
            for call in ready:
                try:
                    _, problem = ray.get(call)
                except ray.exceptions.RayError as error:
                    progress.note(f"a worker has died too often, and the others go on without it: {error}")
                    died += 1
                    continue
                if problem:
                    hint = f"Remove the cause, and type: {_command(run, count)}"
                    raise RunError(f"a worker cannot work:\n  {problem}", hint=hint)
            if (now := run.blocks.count_left()) < left:
                tracker.advance(left - now, f"{len(calls)} workers")
                left = now
    if _is_finished(run):
        if calls:
            ray.wait(calls, num_returns=len(calls), timeout=END_SECONDS)
        return True
    if died or run.blocks.unfinished():
        hint = f"What is finished is kept. Remove the cause, and type: {_command(run, count)}"
        raise RunError(f"{died} of {count} workers have died", hint=hint, where=str(run.folder))
    return False


def _is_finished(run: EmbeddingRun) -> bool:
    return run.blocks.read(ORDER, WorkOrder) is None


def _note_room(ray: Any, count: int, gpus: int, progress: Progress) -> None:
    """Say how many workers the cluster has room for, if they are fewer."""
    what = "GPU" if gpus else "CPU"
    room = int(ray.cluster_resources().get(what, 0))
    if room < count:
        progress.note(f"the cluster has {room} {what}s: {count - room} of {count} workers wait until it has more")


def _command(run: EmbeddingRun, count: int) -> str:
    return f"sea worker {run.folder} --ray {count}"


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SeaError("Ray is not installed", hint=f"Type: {install_command('sea-core[ray]')}") from error
    return ray
