"""`sea worker`: work on a run that another command has prepared, beside any number of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sea_core.cli import options, output, run_report
from sea_core.errors import DeviceError, SeaError
from sea_core.runs.object_store import is_address


def worker(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="The run folder, which all workers see; or its address: s3://BUCKET/RUN."),
    ],
    plugin: options.RunPlugin = None,
    model: options.RunModel = None,
    device: options.Device = "auto",
    ray: Annotated[
        int | None,
        typer.Option("--ray", min=1, help="Start so many workers on a Ray cluster, each with a GPU if it has any."),
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Join a run of `sea optimize`, `encode`, `verify` or `bench run`, and work on it until nothing is left to do.

    The settings are those of the run. Any number of workers may come and go, on any computers that see the folder. The
    last one audits and verifies embeddings. The exit code is 1 if the device is out of memory or has failed: start a
    worker again. Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.cli.stored_run import work_and_report
    from sea_core.pipeline.ray_workers import work_on_ray
    from sea_core.pipeline.worker import join_run
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.folder import RunFolder, command_to_show

    if is_address(run):
        if ray:
            what = "--ray starts workers on a run in a folder"
            raise SeaError(what, hint=f"Start them with Ray's own commands: sea worker {run}")
        work_and_report(run, plugin, model, device, as_json)
        return
    finished: RunFolder[Any] | None = None
    if ray:
        finished = work_on_ray(Path(run), ray, plugin=plugin, model=model, device=device, progress=TERMINAL)
    else:
        try:
            finished = join_run(Path(run), plugin=plugin, model=model, device=device, progress=TERMINAL)
        except DeviceError as error:  # exit code 2 would mean that no other worker can go on
            output.show_error(error)
            raise typer.Exit(1) from error
    if isinstance(finished, EmbeddingRun) and finished.manifest.identity.source == "text":
        run_report.report(finished, as_json)
    elif finished:
        output.note(f"{finished.folder} is finished: {command_to_show(finished.folder)} {finished.folder}")
