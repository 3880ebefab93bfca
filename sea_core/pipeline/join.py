"""`sea worker` from Python: work on a run that another command has prepared, from anywhere that sees its folder."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.config import override
from sea_core.errors import RunError
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.recipes.base import Recipe
from sea_core.pipeline.block_worker import WAIT_SECONDS
from sea_core.pipeline.manifests import model_identity
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import finish
from sea_core.pipeline.optimize_worker import OptimizeWorker
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.synthesis import Synthesis, known_recipes
from sea_core.pipeline.work_order import WorkOrder
from sea_core.pipeline.worker_process import end_with_parent, own_device
from sea_core.runs.block import HINT as CUT_HINT
from sea_core.runs.blocks import FINISHER, ORDER, Finisher
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.lock import Locked
from sea_core.runs.manifest import normalise, require_same_identity
from sea_core.runs.workers import Worker

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

HINT = "A worker takes part only where the same command would. Use the versions, the model and the media of the run."


def work(
    run: EmbeddingRun | Path | str,
    *,
    plugin: str | None = None,
    model: str | None = None,
    device: str = "auto",
    progress: Progress = SILENT,
) -> EmbeddingRun | None:
    """Work on a run of `sea optimize` until nothing is left to do. One of the workers then audits and verifies it.

    Args:
        plugin: the run's plugin, for a run made with a local file: its path.
        model: where the run's model lies here, if not where it was.

    Returns:
        the finished run; None if there is nothing to do, or another process finishes it.

    Raises:
        RunError: the run was made with another model, version or media, or is not one of `sea optimize`.
    """
    end_with_parent()
    opened = run if isinstance(run, EmbeddingRun) else EmbeddingRun(Path(run))
    _require_text(opened)
    loaded: dict[str, MLLM | None] = {}
    while order := opened.blocks.read(ORDER, WorkOrder):
        opened = EmbeddingRun(opened.folder, may_be_damaged=True)  # a command may have replaced the run
        target = ModelTarget.of_run(opened, plugin=plugin, model=model, device=own_device(device), progress=progress)
        synthesis = read_synthesis(opened, order)
        require_same_run(opened, target, synthesis)
        if order.identity != opened.manifest.identity_digest():
            _require_another_order(opened, order)
            continue
        with opened.blocks.registered() as worker:
            key = repr(opened.manifest.identity.model)
            working = OptimizeWorker(opened, target, synthesis, order, worker, progress, mllm=loaded.get(key))
            working.work()
            loaded = {key: working.mllm}
            if (finished := _finish(opened, target, working.mllm, order, worker, progress)) is not None:
                return opened if finished else None
    progress.note(f"nothing is left to do in {opened.folder}")
    return None


def _require_text(run: EmbeddingRun) -> None:
    """Raise RunError for a run of encoded media: it has no blocks."""
    if run.manifest.identity.source != "text":
        what = f"{run.folder} holds encoded media (sea encode): workers make embeddings from text"
        raise RunError(what, hint="Give a run of `sea optimize`.")


def _require_another_order(run: EmbeddingRun, order: WorkOrder) -> None:
    """Raise RunError where the blocks are not this run's, and no command is just replacing the run."""
    if run.blocks.read(ORDER, WorkOrder) == order:
        raise RunError(f"the blocks in {run.folder} belong to other settings than the run's", hint=CUT_HINT)


def read_synthesis(run: EmbeddingRun, order: WorkOrder) -> Synthesis:
    """Return how the embeddings of a run are made, from what it stores."""
    names = ",".join(order.recipes)
    recipes = tuple(_with_settings(recipe, run.manifest.identity.recipes) for recipe in known_recipes(names))
    media = Path(order.benign_media) if order.benign_media else None
    return Synthesis(override(OptimizeConfig(), order.config)[0], names, recipes, media)


def _with_settings(recipe: Recipe, stored: Any) -> Recipe:
    return override(recipe, stored.get(recipe.name, {}))[0]


def require_same_run(run: EmbeddingRun, target: ModelTarget, synthesis: Synthesis) -> None:
    """Raise RunError where this process would make other embeddings than the run's."""
    stored = run.manifest.identity
    found = replace(stored, sea=version("sea-core"), model=model_identity(target), **synthesis.identity())
    same = normalise(replace(run.manifest, identity=found)).identity
    require_same_identity(run.folder, stored, same, hint=HINT)


def _finish(
    run: EmbeddingRun, target: ModelTarget, mllm: MLLM | None, order: WorkOrder, worker: Worker, progress: Progress
) -> bool | None:
    """Join what is finished, audit and verify, if no other process does so.

    Returns:
        whether this process has finished the run; None if there is more to do: a part was damaged, or the work order
        has changed.

    Raises:
        RunError: a part of the run is damaged: only the command that made the run can make it again.
    """
    is_noted = False
    while current := run.blocks.read(ORDER, WorkOrder):
        if current != order:
            return None
        try:
            with run.writing():
                run.join_blocks()
                if run.blocks.all():
                    return None
                run.require_whole()
                run.blocks.write(FINISHER, Finisher(worker.token), worker)
                finish(run, target, mllm, order.verify, progress)
                return run.blocks.delete()
        except Locked:
            if run.blocks.is_being_finished(worker):
                break
            if not is_noted:  # `sea verify`, for example, finishes no run
                progress.note(f"waiting for another command that writes to {run.folder}")
                is_noted = True
            time.sleep(WAIT_SECONDS)
    progress.note("nothing is left to do for this worker: another process finishes the run")
    return False
