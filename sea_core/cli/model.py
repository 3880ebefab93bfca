"""`sea model`: build the small models that SEA can be tried on, and check what they can do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.recipe import Recipe

app = typer.Typer(help="Build small models to try SEA on.", no_args_is_help=True)

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe of the plugin (sea model recipes).")]


@app.command("recipes")
def recipes(plugin: options.PluginName = "", as_json: output.Json = False) -> None:
    """List what can be built."""
    from sea_core import plugins

    found = [plugins.get(plugin)] if plugin else plugins.installed()
    pairs = [(one.name, recipe) for one in found for recipe in one.recipes]
    value = [
        {"plugin": name, "recipe": r.name, "modality": r.modality, "description": r.description} for name, r in pairs
    ]
    cells = [list(row.values()) for row in value]
    output.emit(value, as_json, lambda: output.grid(("plugin", "recipe", "modality", "what it is"), cells))


@app.command("build")
def build(
    name: RecipeName,
    plugin: options.PluginName = "",
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("models/built"),
    modality: options.Modality = None,
    seed: int = 0,
    as_json: output.Json = False,
) -> None:
    """Build a model by a recipe, then check it. Exit code 1 when it does not reach the recipe's figures."""
    recipe = _recipe(options.required(plugin), name, modality)
    if out.exists() and any(out.iterdir()):
        raise SeaError(f"{out} is not empty", hint="Give a new folder with --out.")
    began = time.monotonic()
    recipe.build(out, seed, lambda text: output.note(f"[{time.monotonic() - began:5.0f} s] {text}"))
    _check(recipe, out, seed + 1, as_json)


@app.command("check")
def check(
    folder: Annotated[Path, typer.Argument(metavar="MODEL", help="A folder that `sea model build` wrote.")],
    name: RecipeName = "tiny",
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    seed: int = 1,
    as_json: output.Json = False,
) -> None:
    """Check a built model on fresh media: the share of exact answers, for each skill."""
    _check(_recipe(options.required(plugin), name, modality), folder, seed, as_json)


def _check(recipe: Recipe, folder: Path, seed: int, as_json: bool) -> None:
    from sea_core.checkpoint import write_card

    figures = dict(recipe.check(folder, seed))
    write_card(folder, {"figures": figures})
    output.emit(
        {"model": folder, "figures": figures}, as_json, lambda: output.grid(("skill", "exact"), figures.items())
    )
    weak = [skill for skill, value in figures.items() if value < recipe.least]
    if weak:
        output.note(f"Below {recipe.least}: {', '.join(weak)}. Try another --seed.")
        raise typer.Exit(1)


def _recipe(plugin: str, name: str, modality: str | None) -> Recipe:
    from sea_core import plugins

    found = plugins.get(plugin)
    fitting = [r for r in found.recipes if r.name == name and modality in (None, r.modality)]
    if len(fitting) != 1:
        known = ", ".join(f"{r.name} ({r.modality})" for r in found.recipes) or "none"
        raise SeaError(f"plugin {found.name} has {len(fitting)} recipes called {name!r}", hint=f"It has: {known}")
    return fitting[0]
