"""`sea encode`: the encoder outputs of real media, stored like synthetic embeddings."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_data
from sea_core.cli.settings import SettingGroup, adapter_group, read_settings, takes_settings

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun

SHOWN = 5
"""How many failed examples are listed in text."""


def encode_groups() -> list[SettingGroup]:
    """Return the settings of `sea encode`."""
    from sea_core.pipeline.workers_config import WorkersConfig

    return [SettingGroup(WorkersConfig()), adapter_group()]


@takes_settings(encode_groups)
def encode(
    plugin: options.PluginName,
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            callback=refusing(require_data),
            help="Examples with media, or a folder with metadata.jsonl.",
        ),
    ],
    modality: options.Modality = None,
    model: options.Model = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/PLUGIN-DATASET-media.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    media_root: options.MediaRoot = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use only the first N examples.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Media encoded at a time.")] = 1,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Encode real media once, and store the encoder outputs for `sea align`.

    Each example says "harmful": true or false; one without counts as harmful. Missing and broken media are listed.
    Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.data_spec import parse_columns
    from sea_core.pipeline.model_target import ModelTarget

    settings = read_settings(encode_groups(), config, option)
    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        device=device,
        settings=settings["adapter"],
        chat_template=chat_template,
    )
    their_columns = parse_columns(columns)
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.pipeline.encode import encode_into, media_folders

    run = encode_into(
        dataset,
        target,
        out or Path("runs") / f"{Path(plugin).stem}-{dataset.stem}-media",
        format=format,
        columns=their_columns,
        media_root=media_root,
        limit=limit,
        batch_size=batch_size,
        workers=settings[""].workers,
        progress=TERMINAL,
    )
    if settings[""].workers == 0 and (left := run.blocks.count_left()):
        typed = " ".join(f"--media-root {quote(str(folder))}" for folder in media_folders(dataset, media_root))
        output.note(
            f"{left} media are left to encode. On each computer, type: sea worker {quote(str(run.folder))} {typed}"
        )
        return
    report(run, as_json)


def report(run: EmbeddingRun, as_json: bool) -> None:
    """Print what was stored; examples without an embedding go to stderr."""
    records = run.store.records()
    unlabelled = run.manifest.metadata.unlabelled
    failed = [record for record in records if record["status"] == "failed"]
    metrics = {
        "run": str(run.folder),
        "examples": run.manifest.metadata.embeddings,
        "encoded": len(records) - len(failed),
        "failed": len(failed),
        "harmful": sum(record["harmful"] for record in records) - unlabelled,
        "benign": sum(not record["harmful"] for record in records),
        "unlabelled": unlabelled,
        "features": sum(record["n_features"] for record in records),
        "model": run.manifest.metadata.model.checkpoint,
    }
    output.emit(metrics, as_json, lambda: output.grid(("metric", "value"), metrics.items()))
    for record in failed[:SHOWN]:
        output.note(f"failed: {record['id']}: {record['reason']}")
    if len(failed) > SHOWN:
        output.note(f"{len(failed)} examples failed. To list them all: sea show {run.folder}")
    if len(failed) < len(records):
        output.note(f"Next: sea align RUN {run.folder} --out model, with a run of sea optimize")
        output.note(f"To read the examples: sea report {run.folder}   or: sea show {run.folder}")
    exit_if_failed({"examples without an embedding": len(failed)})
