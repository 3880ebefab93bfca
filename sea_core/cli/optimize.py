"""`sea optimize`: a text safety file becomes verified synthetic embeddings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output, show

if TYPE_CHECKING:
    from sea_core.adapter import Adapter
    from sea_core.optimize import OptimizeConfig
    from sea_core.plugins import Plugin
    from sea_core.prepare import Preparation
    from sea_core.readers import Rows
    from sea_core.run import Run


def optimize(
    rows: options.RowsFile = None,
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    model: options.Model = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/PLUGIN-ROWS.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    limit: options.Limit = None,
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    verify: Annotated[bool, typer.Option(help="Ask the held-out questions afterwards (VSR).")] = True,
    as_json: output.Json = False,
) -> None:
    """Find a synthetic embedding for each row of a text safety file, then verify them.

    Without ROWS: the demo rows. Without --model: the plugin's own. The same command again goes on where it stopped.
    """
    from sea_core import plugins, settings
    from sea_core.optimize import OptimizeConfig
    from sea_core.run import Run

    found, adapter = plugins.adapter(options.required(plugin), modality)
    given = settings.gather(config, option)
    told, left = settings.apply(OptimizeConfig(), given)
    adapter, left = settings.apply(adapter, left, "adapter")
    settings.refuse_rest(left, settings.names(told) + settings.names(adapter, "adapter"))

    data = options.Data(rows, format, columns, limit)
    read = data.read()
    preparation = data.prepare(read, adapter, told.seed, told.benign)
    target = options.Target.of(adapter, model, revision, dtype, device)
    about = identity(found, adapter, told, target) | {"data": read.digest, "format": read.format, "columns": columns}
    several = f"-{adapter.modality}" if len(found.adapters) > 1 else ""
    folder = out or Path("runs") / f"{Path(plugin).stem}{several}-{data.name}"
    run = Run.start(folder, about, facts(plugin, target, data.file, read, preparation))
    with run.writing():
        run.refuse(preparation.refused)
        work(run, adapter, told, preparation, target, verify)
    show.report(run, as_json)


def identity(plugin: Plugin, adapter: Adapter, told: OptimizeConfig, target: options.Target) -> dict[str, Any]:
    """Return what makes a run this run and no other; what cannot change a result (the batch size) is left out."""
    from sea_core import __version__

    config = asdict(told)
    config.pop("batch_size")
    return {
        "sea": __version__, "plugin": plugin.name, "plugin_version": plugin.version, "modality": adapter.modality,
        "adapter": asdict(adapter), "model": target.fingerprint(), "dtype": target.dtype_name(), "config": config,
    }  # fmt: skip


def facts(plugin: str, target: options.Target, path: Path, read: Rows, preparation: Preparation) -> dict[str, Any]:
    """Return what else a run should remember."""
    from sea_core.checkpoint import card

    return {
        "purpose": "synthetic embeddings for safety alignment (SEA)",
        "plugin_path": plugin, "model": target.checkpoint, "revision": target.revision,
        "limits": card(target.checkpoint).get("limits", ""), "file": str(path), "dropped": read.dropped,
        "rows": len(preparation.prepared), "refused": len(preparation.refused),
    }  # fmt: skip


def work(
    run: Run, adapter: Adapter, told: OptimizeConfig, preparation: Preparation, target: options.Target, verify: bool
) -> None:
    """Do what is left: optimise the rows without a record, then ask the questions without an answer."""
    from sea_core.cli.progress import bar

    done = run.store.ids()
    left = [row for row in preparation.prepared if row.id not in done]
    mllm = None
    if left:
        from sea_core.optimize import optimize as find
        from sea_core.probe import check_seam

        mllm = target.load(adapter)
        check_seam(mllm)
        rows = {row.id: row for row in left}
        with bar("optimize", len(preparation.prepared), len(done)) as progress:
            for outcome in find(mllm, left, told):
                run.add(rows[outcome.id], outcome)
                progress.advance(note=f"{outcome.status}, loss {outcome.loss:.4f}")
    if verify:
        ask(run, adapter, target, mllm)


def ask(run: Run, adapter: Adapter, target: options.Target, mllm: Any = None) -> None:
    """Put the held-out questions that have no stored answer yet."""
    from sea_core.cli.progress import bar
    from sea_core.verify import questions_left
    from sea_core.verify import verify as ask_all

    asked = len(run.verdicts.rows())
    left = questions_left(adapter, run)
    if left:
        mllm = mllm or target.load(adapter)
        with bar("verify", asked + len(left), asked) as progress:
            for count in ask_all(mllm, run):
                progress.advance(count)
