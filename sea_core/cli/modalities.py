"""`sea modalities`: what can be optimised for, and by which plugin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sea_core.model.adapter import Adapter
    from sea_core.pipeline.modalities import CarriedModality, RefusedModality
    from sea_core.plugin.loader import Plugin

COLUMNS = ("modality", "plugin", "model class", "default checkpoint", "embedding", "distribution")


def modalities(
    model: Annotated[
        str | None, typer.Option(help="What this model can be optimised for: a model folder or a hub id.")
    ] = None,
    plugin: Annotated[
        str | None,
        typer.Option(
            "--plugin",
            "-p",
            callback=options.known_plugin,
            help="With --model: ask this plugin only. Default: all that fit.",
        ),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="With --model: ask the model how it opens its answers. Loads its weights.")
    ] = False,
    media: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            callback=refusing(require_path),
            help="With --ask: sample media of one modality to ask about, beside noise.",
        ),
    ] = None,
    modality: Annotated[str | None, typer.Option(help="With --model: this modality only.")] = None,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """List the modalities of the installed plugins, or what a model can be optimised for.

    With --model: the plugins that carry it, where its embedding crosses, and why the other modalities are not carried.
    A plugin that derives adapters, such as auto, loads the model once. Exit code 1 if no modality is carried.
    """
    if model is None:
        _require_no_model_options(plugin=plugin, ask=ask, media=media, modality=modality)
        list_modalities(as_json)
        return
    from sea_core.pipeline.modalities import ask_habits, find_modalities

    where: dict[str, Any] = {"revision": revision, "dtype": dtype, "device": device, "chat_template": chat_template}
    carried, refused = find_modalities(model, plugin=plugin, modality=modality, **where)
    habits = {(c.plugin, c.modality): ask_habits(c.target, media) for c in carried} if ask or media else {}
    value = {
        "model": model,
        "carried": [_carried_value(c, habits.get((c.plugin, c.modality), ())) for c in carried],
        "refused": [
            {"plugin": r.plugin, "modality": r.modality, "reason": r.error.what, "hint": r.error.hint} for r in refused
        ],
    }
    output.emit(value, as_json, lambda: output.stack(_model_tables(carried, refused, habits)))
    for found in carried:
        shown = f"--plugin {found.plugin} --modality {found.modality} --model {model}"
        shown += f" --chat-template {chat_template}" if chat_template else ""
        output.note(f"Next: sea optimize {shown}")
    exit_if_failed({"modalities that are carried: none of": 0 if carried else len(refused)})


def list_modalities(as_json: bool) -> None:
    """List the modalities of the installed plugins."""
    from sea_core.plugin.loader import installed

    found = installed()
    offers = [(plugin, adapter) for plugin in found for adapter in plugin.adapters]
    rows = [
        {
            "modality": adapter.modality,
            "plugin": plugin.name,
            "model_class": list(adapter.architectures),
            "checkpoint": adapter.checkpoint,
            "embedding_shape": adapter.embedding_shape,
            "distribution": plugin.distribution,
            "version": plugin.version,
        }
        for plugin, adapter in offers
    ]
    output.emit(rows, as_json, lambda: output.grid(COLUMNS, [_cells(*offer) for offer in offers]))
    broken = [plugin.name for plugin in found if plugin.error]
    if broken:
        output.note(f"Not usable: {', '.join(broken)}. `sea plugins` says why.")
    if not rows:
        output.note("No modality is installed. Install a plugin with pip, or use a local file: --plugin ./my_plugin.py")


def _cells(plugin: Plugin, adapter: Adapter) -> list[str]:
    classes = "\n".join(adapter.architectures)
    origin = f"{plugin.distribution} {plugin.version}"
    return [adapter.modality, plugin.name, classes, _short(adapter.checkpoint), adapter.embedding_shape, origin]


def _short(checkpoint: str) -> str:
    """Cut the path of a folder that came with a plugin to its end; a hub id stays."""
    path = PurePath(checkpoint)
    return str(PurePath("...", *path.parts[-2:])) if path.is_absolute() else checkpoint


def _require_no_model_options(**given: Any) -> None:
    """Raise SeaError for an option that says something about a model, where none was given."""
    for name, value in given.items():
        if value:
            raise SeaError(f"--{name} is about a model, and none was given", hint="Add --model FOLDER_OR_HUB_ID.")


def _carried_value(found: CarriedModality, habits: Any) -> dict[str, Any]:
    names = ("plugin", "modality", "architecture", "mechanism", "seam", "placeholder", "end_token", "embedding")
    value = {name: getattr(found, name) for name in (*names, "prefixes")}
    return value | ({"habits": [asdict(habit) for habit in habits]} if habits else {})


def _model_tables(
    carried: list[CarriedModality], refused: list[RefusedModality], habits: Any
) -> Iterator[RenderableType]:
    for found in carried:
        value = _carried_value(found, ())
        rows = [
            (key.replace("_", " "), _cell(inner)) for key, inner in value.items() if key not in ("modality", "plugin")
        ]
        yield output.grid((found.modality, f"plugin {found.plugin}"), rows)
        if asked := habits.get((found.plugin, found.modality)):
            cells = [_habit_cells(habit) for habit in asked]
            yield output.grid(("setting", "default", "what the model says", "answers"), cells)
    if refused:
        reasons = [(r.modality, r.plugin, f"{r.error.what}\n{r.error.hint}".strip()) for r in refused]
        yield output.grid(("not carried", "plugin", "why"), reasons)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {inner} ..." for key, inner in value.items())
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _habit_cells(habit: Any) -> list[str]:
    """Return what was found about one setting: the opening as it is typed."""
    typed = f'-o "adapter.{habit.setting}={habit.opening}"' if habit.opening else "no common opening: the default stays"
    return [f"adapter.{habit.setting}", habit.default, typed, f"{habit.count} of {len(habit.answers)}"]
