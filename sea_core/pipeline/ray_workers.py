"""Workers on a Ray cluster: actors that join a run as `sea worker` does. Ray starts again those that die."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sea_core.errors import RunError, SeaError
from sea_core.pipeline.launch import RESTARTS
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.embedding_run import EmbeddingRun

POLL_SECONDS = 0.5
NAME = "sea-worker"
"""With which the names of the actors begin, as Ray shows them."""


class RayWorker:
    """An actor: a process, on any computer of the cluster, that works on a run."""

    def work(self, folder: str, options: dict[str, Any]) -> tuple[bool, str]:
        """Work on the run; return whether this worker finished it, and what is wrong, for people."""
        from sea_core.pipeline.join import work

        try:
            return work(folder, **options) is not None, ""
        except SeaError as error:
            return False, str(error)


def work_on_ray(
    folder: Path, count: int, *, plugin: str | None, model: str | None, device: str, progress: Progress = SILENT
) -> EmbeddingRun | None:
    """Let actors work on a run until nothing is left to do; each has a GPU, where the cluster has any.

    The cluster is that of RAY_ADDRESS; without it, one is started on this computer.

    Raises:
        SeaError: Ray is not installed.
        RunError: a worker cannot do its work, or all have died too often.
    """
    ray = _import_ray()
    run = EmbeddingRun(folder)
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
        finished = _watch(ray, run, calls, progress)
    finally:
        if began_here:
            ray.shutdown()
    return EmbeddingRun(folder) if finished else None


def _watch(ray: Any, run: EmbeddingRun, calls: list[Any], progress: Progress) -> bool:
    """Wait for the workers, and show what they have done; return whether one of them finished the run."""
    total, left, finished, count = run.manifest.metadata.embeddings, run.blocks.count_left(), False, len(calls)
    with progress.track("optimize", total, total - left) as tracker:
        while calls:
            ready, calls = ray.wait(calls, timeout=POLL_SECONDS)
            for call in ready:
                try:
                    done, problem = ray.get(call)
                except ray.exceptions.RayError as error:
                    progress.note(f"a worker has died too often, and the others go on without it: {error}")
                    continue
                if problem:
                    raise RunError(f"a worker cannot work:\n  {problem}", hint="Remove the cause, and start again.")
                finished |= done
            if (now := run.blocks.count_left()) < left:
                tracker.advance(left - now, f"{len(calls)} workers")
                left = now
    if left:
        hint = "What is finished is kept. Remove the cause, and start again."
        raise RunError(f"all {count} workers have died", hint=hint, where=str(run.folder))
    return finished


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SeaError("Ray is not installed", hint="pip install 'sea-core[ray]'") from error
    return ray
