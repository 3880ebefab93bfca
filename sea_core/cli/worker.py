"""`sea worker`: work on a run that another command has prepared, beside any number of others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from sea_core.cli import options, output, run_report
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path, require_run
from sea_core.cli.judge_settings import find_judges, judge_groups, unread_judge_settings
from sea_core.cli.settings import read_settings, takes_settings
from sea_core.errors import DeviceError, SeaError
from sea_core.runs.object_store import is_address


def _require_run(path: Path) -> None:
    """Refuse a run that is not there. A worker that a command has launched waits until its run is made."""
    from sea_core.pipeline.launch import LAUNCHED_FOR

    if LAUNCHED_FOR not in os.environ:
        require_run(path)


@takes_settings(judge_groups)
def worker(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            callback=refusing(_require_run),
            help="The run folder, which all workers see; or its address: s3://BUCKET/RUN.",
        ),
    ],
    plugin: options.RunPlugin = None,
    model: options.RunModel = None,
    device: options.Device = "auto",
    ray: Annotated[
        int | None,
        typer.Option("--ray", min=1, help="Start so many workers on a Ray cluster, each with a GPU if it has any."),
    ] = None,
    media_root: Annotated[
        list[Path],
        typer.Option(
            metavar="DIR",
            callback=refusing(require_path),
            help="A folder whose media this worker may encode (`sea encode`); repeatable.",
        ),
    ] = [],  # noqa: B006  # typer copies it
    judge: Annotated[
        list[str],
        typer.Option(help="A judge that this worker may judge with, as in `sea bench judge`; repeatable."),
    ] = [],  # noqa: B006
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    as_json: output.Json = False,
) -> None:
    """Join a run of `sea optimize`, `encode`, `verify`, `bench run` or `bench judge`, and work until nothing is left.

    The settings are those of the run, but for folders of media and judges: type them as in the command. Any number of
    workers may come and go, on any computers that see the folder. The last one audits and verifies embeddings. The exit
    code is 1 if the device is out of memory or has failed: start a worker again; or if calls of a judge have failed:
    type `sea bench judge` again. Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.judges.base import JudgeConfig
    from sea_core.judges.registry import CONTENT, SAFETY

    unread = unread_judge_settings(find_judges(judge, SAFETY, CONTENT))
    settings = read_settings(judge_groups(), config, option, unread)
    judge_config = JudgeConfig(settings["llm"], settings["guard"])
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.cli.stored_run import work_and_report
    from sea_core.pipeline.ray_workers import work_on_ray
    from sea_core.pipeline.worker import join_run

    if is_address(run):
        if ray:
            what = "--ray starts workers on a run in a folder"
            raise SeaError(what, hint=f"Start them with Ray's own commands: sea worker {run}")
        if judge or media_root or option or config:
            what = "--judge, --media-root and settings are for runs in folders"
            raise SeaError(what, hint=f"A run in object storage is one of `sea optimize`. Type: sea worker {run}")
        work_and_report(run, plugin, model, device, as_json)
        return
    given: dict[str, Any] = {
        "plugin": plugin,
        "model": model,
        "device": device,
        "media_roots": [root.absolute() for root in media_root],
        "judges": judge,
        "judge_config": judge_config,
    }
    if ray:
        failures = work_on_ray(Path(run), ray, given, TERMINAL)
        if failures is not None:
            _report(Path(run), as_json)
            exit_if_failed(failures)
        return
    try:
        finished = join_run(Path(run), **given, progress=TERMINAL)
    except DeviceError as error:  # exit code 2 would mean that no other worker can go on
        output.show_error(error)
        raise typer.Exit(1) from error
    if finished:
        _report(Path(run), as_json)
        exit_if_failed(finished.failures)


def _report(folder: Path, as_json: bool) -> None:
    """Print what is known of a finished run."""
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.folder_kind import command_to_show

    run = EmbeddingRun(folder) if (folder / EmbeddingRun.MANIFEST_NAME).is_file() else None
    if run and run.manifest.identity.source == "text":
        run_report.report(run, as_json)
    else:
        output.note(f"{folder} is finished: {command_to_show(folder)} {folder}")
