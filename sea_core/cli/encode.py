"""`sea encode`: real media through the encoder, once, stored like synthetic embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun


def encode(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Rows with media, or a folder with metadata.jsonl.")
    ],
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    model: options.Model = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/PLUGIN-DATASET-media.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take only the first N rows.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Media encoded at a time.")] = 1,
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Run real media through the encoder once and keep what comes out, for `sea align` to train on.

    The same command again goes on where it stopped. Missing and broken media are listed rows.
    """
    from sea_core import config as settings
    from sea_core.model.selfcheck import check_seam
    from sea_core.pipeline.encode import encode as encode_all
    from sea_core.pipeline.encode import media_examples
    from sea_core.plugin import loader
    from sea_core.runs.embedding_run import EmbeddingRun

    found, adapter = loader.adapter(options.required(plugin), modality)
    adapter, left = settings.override(adapter, settings.parse_overrides(config, option), "adapter")
    settings.reject_unknown(left, settings.setting_names(adapter, "adapter"))
    read, rows = media_examples(dataset, format, options.parse_columns(columns))
    rows = rows[:limit]
    target = options.Target.of(adapter, model, revision, dtype, device)
    about = options.identity(found, adapter, target)
    about |= {"data": read.digest, "format": read.format, "columns": columns, "source": "media"}
    facts = {
        "purpose": "encoder outputs of real media for safety alignment (SEA)",
        "plugin_path": plugin,
        "model": target.checkpoint,
        "revision": revision,
        "file": str(dataset),
        "dropped": read.skip_counts,
        "rows": len(rows),
        "refused": 0,
    }
    run = EmbeddingRun.start(out or Path("runs") / f"{Path(plugin).stem}-{dataset.stem}-media", about, facts)
    with run.writing():
        done = run.store.ids()
        waiting = sum(one.example.id not in done for one in rows)
        if waiting:
            from sea_core.cli.progress import bar

            mllm = target.load(adapter)
            check_seam(mllm)
            with bar("encode", len(rows), len(rows) - waiting) as progress:
                for count in encode_all(mllm, rows, run, batch_size):
                    progress.advance(count)
    report(run, as_json)


def report(run: EmbeddingRun, as_json: bool) -> None:
    """Print what was stored; rows without an embedding go to stderr."""
    records = run.store.records()
    failed = [record for record in records if record["status"] == "failed"]
    figures = {
        "run": str(run.folder),
        "rows": run.about["rows"],
        "encoded": len(records) - len(failed),
        "failed": len(failed),
        "rows_of_e": sum(record["n_rows"] for record in records),
        "model": run.about["model"],
    }
    output.emit(figures, as_json, lambda: output.grid(("figure", "value"), figures.items()))
    for record in failed[:5]:
        output.note(f"failed: {record['id']}: {record['reason']}")
    if len(failed) > 5:
        output.note(f"{len(failed)} rows failed. Type: sea show {run.folder}  for all of them.")
