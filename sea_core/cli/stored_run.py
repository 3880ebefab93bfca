"""What `sea optimize` and `sea worker` do with a run in object storage."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sea_core.cli import output, run_report
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.prepare import unanswered_examples
from sea_core.errors import DeviceError

if TYPE_CHECKING:
    from sea_core.pipeline.data_spec import DataSpec
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.synthesis import Synthesis


def optimize_there(
    data: DataSpec, target: ModelTarget, address: str, synthesis: Synthesis, verify: bool, as_json: bool
) -> None:
    """Prepare a run in object storage, and work on it unless that is left to others."""
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.object_run import prepare_in_store
    from sea_core.plugin.loader import FILE_VERSION

    with tempfile.TemporaryDirectory(prefix="sea-optimize-") as folder:
        preparation = prepare_in_store(data, target, address, synthesis, verify, Path(folder), TERMINAL)
    if synthesis.config.workers == 0:
        output.note(f"The run is prepared. On each computer, type: sea worker {address}")
        return
    plugin = target.source if target.plugin.version.startswith(FILE_VERSION) else None
    work_and_report(address, plugin, None, target.device, as_json)
    exit_if_failed(unanswered_examples(preparation))


def work_and_report(address: str, plugin: str | None, model: str | None, device: str, as_json: bool) -> None:
    """Work on a run in object storage, and show the run if this process has finished it."""
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.object_run import work_in_store
    from sea_core.verification.metrics import run_metrics

    with tempfile.TemporaryDirectory(prefix="sea-worker-") as folder:
        try:
            run = work_in_store(address, Path(folder), plugin=plugin, model=model, device=device, progress=TERMINAL)
        except DeviceError as error:  # exit code 2 would mean that no other worker can go on
            output.show_error(error)
            raise typer.Exit(1) from error
        if run:
            run_report.report(run, as_json, address=address)
            exit_if_failed({"examples without an embedding": len(run_metrics(run)["uncovered_examples"])})
