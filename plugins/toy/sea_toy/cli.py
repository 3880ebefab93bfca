"""`sea toy`: build the toy models that SEA can be tried on, check what they can do, and align them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import align as core
from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_data, require_path, require_run
from sea_core.cli.settings import takes_settings
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.plugin.blueprint import Blueprint
    from sea_toy.study_data import StudySource

app = typer.Typer(name="toy", rich_help_panel="Extend", help="Build, check and align toy models.", no_args_is_help=True)

BlueprintName = Annotated[str, typer.Argument(metavar="BLUEPRINT", help="A blueprint of the plugin (sea toy list).")]


@app.command("list")
def list_(
    plugin: Annotated[str, typer.Option("--plugin", "-p", help="Only the blueprints of this plugin.")] = "",
    as_json: output.Json = False,
) -> None:
    """List the models that can be built."""
    value = [
        {"plugin": b.plugin, "blueprint": b.name, "modality": b.modality, "description": b.description}
        for b in _blueprints()
        if plugin in ("", b.plugin)
    ]
    cells = [list(entry.values()) for entry in value]
    output.emit(value, as_json, lambda: output.grid(("plugin", "blueprint", "modality", "description"), cells))


@app.command("build")
def build(
    plugin: options.PluginName,
    name: BlueprintName,
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("models/built"),
    modality: options.Modality = None,
    seed: int = 0,
    as_json: output.Json = False,
) -> None:
    """Build a model and check it. Exit code 1 if a metric is below the blueprint's minimum."""
    blueprint = _find_blueprint(plugin, name, modality)
    if out.exists() and any(out.iterdir()):
        raise SeaError(f"{out} is not empty", hint="Give a new folder with --out.")
    started = time.monotonic()
    blueprint.build(out, seed, lambda text: output.note(f"[{time.monotonic() - started:5.0f} s] {text}"))
    _check(blueprint, out, seed + 1, as_json)


@app.command("check")
def check(
    plugin: options.PluginName,
    folder: Annotated[
        Path,
        typer.Argument(metavar="MODEL", callback=refusing(require_path), help="A folder that `sea toy build` wrote."),
    ],
    name: BlueprintName = "tiny",
    modality: options.Modality = None,
    seed: int = 1,
    as_json: output.Json = False,
) -> None:
    """Check a built model on new media: the ratio of exact answers for each skill."""
    _check(_find_blueprint(plugin, name, modality), folder, seed, as_json)


@app.command("align")
@takes_settings(core.align_groups)
def align(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", callback=refusing(require_run), help="Run folders over the demo examples."),
    ],
    out: core.Out = Path("model"),
    method: core.MethodName = "dpo",
    data: core.DataKinds = None,
    mixture: core.MixtureName = "default",
    merge: core.Merge = True,
    answers: core.AnswerForm = None,
    full_finetune: core.FullFinetune = False,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    model: options.RunModel = None,
    dtype: options.RunDtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Align on runs over the demo examples; spot-check phrases of the toy world that no demo example has.

    Trains on every demo example, and renders new media for the spot check. Otherwise like `sea align`.
    """
    from sea_core.cli.progress import TERMINAL

    typed = [*option, *core.answer_settings(answers)]
    request = core.read_request(method, data, mixture, typed, config, full_finetune)
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.alignment.processes import is_first_process
    from sea_toy.spot_check import align_on_demo

    result = align_on_demo(runs, out, request, merge=merge, model=model, dtype=dtype, device=device, progress=TERMINAL)
    if is_first_process():
        core.report(result, as_json)


@app.command("study")
def study(
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="studies/toy; with --real: studies/real"),
    ] = None,
    model: Annotated[
        list[str], typer.Option(help="A bundled model, such as llava-image; repeatable.", show_default="all")
    ] = [],  # noqa: B006
    real: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Instead of the toy world: spoken requests, for a model of real parts."),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=refusing(require_data),
            help="With --real: a labelled text safety set, to be tested on its requests too.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the splits of phrases and verbs, and of the media.")] = 0,
    as_json: output.Json = False,
) -> None:
    """Write the data of a study on the toy world, or on a model of real parts, and its study file.

    Training rows with real media of their phrases, and benchmarks for validation and test, with phrases and, for the
    test, verbs held out: for each of three seeds other ones. Re-run the same command to resume. `sea study run` takes
    the study file.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_toy.study_data import write_study_data

    folder = out or Path("studies/real" if real else "studies/toy")
    path = write_study_data(folder, _study_source(folder, model, real, text, seed), TERMINAL)
    output.emit({"study": path}, as_json, lambda: str(path))
    output.note(f"Next: sea study run {path}" + ("" if real else "   (a few minutes, one model: --quick)"))


def _study_source(folder: Path, names: list[str], real: Path | None, text: Path | None, seed: int) -> StudySource:
    """Return what the options name. Raises SeaError if they do not go together."""
    if real is None:
        from sea_toy.toy_study import ToyStudy, find_models

        if text:
            raise SeaError("--text is for a model of real parts", hint="Name it: --real models/real")
        return ToyStudy(seed, find_models(names))
    from sea_core.cli.progress import TERMINAL
    from sea_toy.spoken.study import SpokenStudy, fastest_dtype

    if names:
        raise SeaError("--model names bundled models, and --real another one", hint="Leave out one of them.")
    if not real.is_dir():
        output.note(f"note: {real} is not there yet; build it before the study runs (sea toy build real)")
    model = os.path.relpath(real.resolve(), folder.resolve())
    return SpokenStudy(model, fastest_dtype(), seed, text, progress=TERMINAL)


def _check(blueprint: Blueprint, folder: Path, seed: int, as_json: bool) -> None:
    from sea_core.model.checkpoint import write_card

    metrics = dict(blueprint.check(folder, seed))
    write_card(folder, {"metrics": metrics})
    value = {"model": folder, "metrics": metrics}
    scores = [(skill, output.ratio(score)) for skill, score in metrics.items()]
    output.emit(value, as_json, lambda: output.grid(("skill", "exact answers"), scores))
    weak = [skill for skill, ratio in metrics.items() if ratio < blueprint.min_score]
    if weak:
        output.note(f"below {blueprint.min_score}: {', '.join(weak)}; try another --seed")
    exit_if_failed({f"skills below {blueprint.min_score}": len(weak)})


def _blueprints() -> list[Blueprint]:
    from sea_core.plugin import loader

    return list(loader.offers("blueprints"))


def _find_blueprint(plugin: str, name: str, modality: str | None) -> Blueprint:
    known = [b for b in _blueprints() if b.plugin == plugin]
    found = [b for b in known if b.name == name and modality in (None, b.modality)]
    if len(found) != 1:
        names = ", ".join(f"{b.name} ({b.modality})" for b in known) or "none"
        raise SeaError(f"plugin {plugin} has {len(found)} blueprints named {name!r}", hint=f"It has: {names}")
    return found[0]
