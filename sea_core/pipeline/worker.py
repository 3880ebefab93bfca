"""`sea worker` from Python: join whatever work a run folder has for workers."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from sea_core.errors import RunError
from sea_core.judges.base import JudgeConfig
from sea_core.pipeline.encode import EncodeOptions, EncodeWork
from sea_core.pipeline.join import HINT, work
from sea_core.pipeline.launch import LAUNCHED_FOR, await_work
from sea_core.pipeline.manifests import model_identity
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.shared_work import Finished, SharedCommand, SharedOrder, WorkerOptions
from sea_core.pipeline.verify import require_same_model, require_synthetic
from sea_core.pipeline.verify_work import VERIFY_BLOCKS, VerifyWork
from sea_core.pipeline.worker_process import end_with_parent, own_device
from sea_core.plugin import loader
from sea_core.runs.block import HINT as CUT_HINT
from sea_core.runs.block_folder import BLOCKS
from sea_core.runs.blocks import ORDER
from sea_core.runs.containment import is_inside
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.manifest import normalise, require_same_identity
from sea_core.schema import parse_json


def open_verify_work(folder: Path, order: SharedOrder, options: WorkerOptions) -> VerifyWork:
    """Return the questions about a run as work for this process. Raises RunError where its model is another one."""
    run = EmbeddingRun(folder)
    require_synthetic(run)
    target = _target(run, options)
    require_same_model(run, target)
    return VerifyWork(run, target)


def _target(run: EmbeddingRun, options: WorkerOptions) -> ModelTarget:
    return ModelTarget.of_run(
        run,
        plugin=options.plugin,
        model=options.model,
        device=own_device(options.device),
        progress=options.progress,
    )


def open_encode_work(folder: Path, order: SharedOrder, options: WorkerOptions) -> EncodeWork:
    """Return the media of a run as work for this process. Raises RunError where its model or version is another one."""
    run = EmbeddingRun(folder, may_be_damaged=True)
    target = _target(run, options)
    found = replace(run.manifest.identity, sea=version("sea-core"), model=model_identity(target))
    same = normalise(replace(run.manifest, identity=found)).identity
    require_same_identity(folder, run.manifest.identity, same, hint=HINT)
    what, where = "what the workers of sea encode are to do", str(folder)
    text = json.dumps(order.options)
    stored = parse_json(text, EncodeOptions, what=what, hint=CUT_HINT, where=where, error=RunError)
    _require_media_roots(folder, stored, options.media_roots)
    if stored.folder == str(Path.cwd()):
        stored = replace(stored, folder="")  # paths in messages are as the command has them
    return EncodeWork(run, target, stored)


def _require_media_roots(folder: Path, stored: EncodeOptions, given: Sequence[Path]) -> None:
    """Raise RunError where a run names a folder of media that this process was not given."""
    missing = [each for each in stored.media_folders if not any(is_inside(Path(each), root) for root in given)]
    if missing:
        raise RunError(
            f"the run's media lie in {' and '.join(missing)}, which this worker was not given",
            hint="A run may come from anybody, so a worker reads no folder because a run names it. If you expect these "
            f"folders, type each: sea worker {shlex.quote(str(folder))} --media-root DIR",
        )


def _holds_media(folder: Path) -> bool:
    return EmbeddingRun(folder, may_be_damaged=True).manifest.identity.source == "media"


NAME = EmbeddingRun.MANIFEST_NAME
CORE_COMMANDS = (
    SharedCommand("sea encode", NAME, BLOCKS, open_encode_work, _holds_media),
    SharedCommand("sea verify", NAME, VERIFY_BLOCKS, open_verify_work),
)
"""Those of the core besides `sea optimize`."""


def join_run(
    folder: Path | str,
    *,
    plugin: str | None = None,
    model: str | None = None,
    device: str = "auto",
    media_roots: Sequence[Path] = (),
    judges: Sequence[str] = (),
    judge_config: JudgeConfig | None = None,
    progress: Progress = SILENT,
) -> Finished | None:
    """Work on a run until nothing is left to do: for the command that makes it, then for others.

    A worker that a command has started works for that command only, which has locked the run.

    Args:
        plugin: the run's plugin, for a run made with a local file: its path.
        model: where the run's model lies here, if not where it was.
        media_roots: folders from which this process may encode media: it takes none from the run.
        judges: with which this process judges, if the run has answers to be rated: it takes none from the run.
        judge_config: the models of these judges.

    Returns:
        the run, if this process has finished it; None if there is nothing to do, or another process finishes it.

    Raises:
        RunError: this process would do the work otherwise than the command, or the folder is no run.
    """
    folder = Path(folder)
    finished: Finished | None = None
    end_with_parent()
    if launched_for := os.environ.get(LAUNCHED_FOR):
        await_work()
    commands = [command for command in _commands(folder) if launched_for in (None, command.blocks)]
    waiting = [command for command in commands if command.has_work(folder)]
    is_made_from_text = launched_for in (None, BLOCKS) and _is_made_from_text(folder)
    if not commands or (is_made_from_text and ((folder / BLOCKS / ORDER).is_file() or not waiting)):
        run = work(folder, plugin=plugin, model=model, device=device, progress=progress)
        finished = Finished(run) if run else None
    elif not waiting:
        progress.note(f"nothing is left to do in {folder}")
    for command in waiting:
        options = WorkerOptions(plugin, model, device, media_roots, judges, judge_config or JudgeConfig(), progress)
        finished = command.join(folder, options) or finished
    return finished


def _commands(folder: Path) -> Sequence[SharedCommand]:
    """Return the commands, besides `sea optimize`, that run folders of this kind may have work of."""
    commands = CORE_COMMANDS if _is_embedding_run(folder) else loader.offers("shared_commands", CORE_COMMANDS)
    return [command for command in commands if (folder / command.manifest).is_file()]


def _is_embedding_run(folder: Path) -> bool:
    return (folder / EmbeddingRun.MANIFEST_NAME).is_file()


def _is_made_from_text(folder: Path) -> bool:
    return _is_embedding_run(folder) and not _holds_media(folder)
