"""`sea toy`: build the small models that SEA can be tried on, and check what they can do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import align as core
from sea_core.cli import options, output
from sea_core.cli.settings import takes_settings
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.plugin.blueprint import Blueprint

app = typer.Typer(name="toy", rich_help_panel="Extend", help="Build small models to try SEA on.", no_args_is_help=True)

BlueprintName = Annotated[str, typer.Argument(metavar="BLUEPRINT", help="A blueprint of the plugin (sea toy list).")]


@app.command("list")
def list_(
    plugin: Annotated[str, typer.Option("--plugin", "-p", help="Only the blueprints of this plugin.")] = "",
    as_json: output.Json = False,
) -> None:
    """List what can be built."""
    from sea_core.plugin import loader

    every = [blueprint for installed in loader.installed() for blueprint in installed.blueprints]
    value = [
        {"plugin": b.plugin, "blueprint": b.name, "modality": b.modality, "description": b.description}
        for b in every
        if plugin in ("", b.plugin)
    ]
    cells = [list(row.values()) for row in value]
    output.emit(value, as_json, lambda: output.grid(("plugin", "blueprint", "modality", "what it is"), cells))


@app.command("build")
def build(
    plugin: options.PluginName,
    name: BlueprintName,
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("models/built"),
    modality: options.Modality = None,
    seed: int = 0,
    as_json: output.Json = False,
) -> None:
    """Build a model by a blueprint, then check it. Exit code 1 when it does not reach the blueprint's figures."""
    blueprint = _blueprint(plugin, name, modality)
    if out.exists() and any(out.iterdir()):
        raise SeaError(f"{out} is not empty", hint="Give a new folder with --out.")
    began = time.monotonic()
    blueprint.build(out, seed, lambda text: output.note(f"[{time.monotonic() - began:5.0f} s] {text}"))
    _check(blueprint, out, seed + 1, as_json)


@app.command("check")
def check(
    plugin: options.PluginName,
    folder: Annotated[Path, typer.Argument(metavar="MODEL", help="A folder that `sea toy build` wrote.")],
    name: BlueprintName = "tiny",
    modality: options.Modality = None,
    seed: int = 1,
    as_json: output.Json = False,
) -> None:
    """Check a built model on fresh media: the share of exact answers, for each skill."""
    _check(_blueprint(plugin, name, modality), folder, seed, as_json)


@app.command("align")
@takes_settings(core.align_groups)
def align(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders over the demo examples.")],
    out: core.Out = Path("model"),
    method: core.MethodName = "dpo",
    data: core.DataKinds = None,
    mixture: core.MixtureName = "default",
    merge: core.Merge = True,
    full_finetune: core.FullFinetune = False,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    model: options.RunModel = None,
    dtype: options.RunDtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Align on runs over the demo examples; spot-check phrases of the toy world that no demo example has.

    Trains on every demo example and renders fresh media for the spot check. Otherwise like `sea align`.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.align import is_first_process
    from sea_toy.spot_check import align_on_demo

    request = core.read_request(method, data, mixture, option, config, full_finetune)
    result = align_on_demo(runs, out, request, merge=merge, model=model, dtype=dtype, device=device, progress=TERMINAL)
    if is_first_process():
        core.report(result, as_json)


def _check(blueprint: Blueprint, folder: Path, seed: int, as_json: bool) -> None:
    from sea_core.model.checkpoint import write_card

    figures = dict(blueprint.check(folder, seed))
    write_card(folder, {"figures": figures})
    output.emit(
        {"model": folder, "figures": figures}, as_json, lambda: output.grid(("skill", "exact"), figures.items())
    )
    weak = [skill for skill, value in figures.items() if value < blueprint.min_score]
    if weak:
        output.note(f"Below {blueprint.min_score}: {', '.join(weak)}. Try another --seed.")
        raise typer.Exit(1)


def _blueprint(plugin: str, name: str, modality: str | None) -> Blueprint:
    from sea_core.plugin import loader

    every = [b for installed in loader.installed() for b in installed.blueprints if b.plugin == plugin]
    fitting = [b for b in every if b.name == name and modality in (None, b.modality)]
    if len(fitting) != 1:
        known = ", ".join(f"{b.name} ({b.modality})" for b in every) or "none"
        raise SeaError(f"plugin {plugin} has {len(fitting)} blueprints called {name!r}", hint=f"It has: {known}")
    return fitting[0]
