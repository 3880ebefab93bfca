"""`sea init`: ask four questions, and write a pipeline file for `sea run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.inputs import require_benchmark, require_path
from sea_core.cli.pipeline_check import HUB
from sea_core.errors import SeaError

TEMPLATE = """\
# A pipeline for `sea run`. Sections are commands, keys are their options as they are typed: `sea COMMAND --help`,
# and below `option` the settings of `sea settings COMMAND`. `sea run {file} --dry-run` prints the commands.
folder: {folder}             # everything is written here

common:                      # options of all commands that have them
  plugin: {plugin}{model}

prepare:{data}               # the phrases of the examples

optimize:
  option: {{draws: 3}}         # embeddings for each example

align:
  method: {method}
{bench}
report: {{}}                   # one HTML page about all of it
"""
NO_BENCH = """
# bench run: {cases: FOLDER} # a benchmark folder (`sea bench build`), before and after
# bench judge: {}
# bench report: {}
"""
BENCH = """
bench run:                   # before and after
  cases: {cases}

bench judge: {{}}              # the refusal judge; others: `judge: [refusal, openai]`

bench report: {{}}
"""


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pipeline file to write.")] = Path("pipeline.yaml"),
    data: Annotated[str | None, typer.Option(help="Your text safety set; `demo` for the bundled one.")] = None,
    plugin: Annotated[str | None, typer.Option("--plugin", "-p", help="An installed plugin.")] = None,
    model: options.Model = None,
    method: Annotated[str | None, typer.Option(help="sft or dpo.")] = None,
    cases: Annotated[str | None, typer.Option(help="A benchmark folder; `none` to measure nothing.")] = None,
    as_json: output.Json = False,
) -> None:
    """Ask four questions, and write a pipeline file for `sea run`. What an option answers is not asked."""
    from sea_core.plugin import loader

    if file.exists():
        raise SeaError("this file exists", hint=f"Type another name: sea init {file.stem}-2.yaml", where=str(file))
    bundled = [plugin.name for plugin, _ in loader.bundled_adapters()]
    data = data or _ask("Your text safety set (file, folder or hf:OWNER/NAME)", "demo")
    columns = "" if data == "demo" else _find_columns(Path(data))
    if plugin is None:
        plugin = _ask("The plugin of your model's family (`sea plugins` lists them)", bundled[0] if bundled else "auto")
        model = model or _ask("The model (a folder or a hub id)", "the plugin's own") or None
        model = None if model == "the plugin's own" else model
    loader.get_plugin(plugin, with_adapter=True)
    method = method or _ask("How to align: sft, or dpo (harmless ability is kept better)", "dpo")
    if method not in ("sft", "dpo"):
        raise SeaError(f"there is no method {method!r}", hint="Type: --method sft or --method dpo")
    cases = cases or _ask("A benchmark folder, to measure before and after", "none")
    if cases != "none":
        require_benchmark(Path(cases))
    file.write_text(
        TEMPLATE.format(
            file=file,
            folder=_quoted(f"runs/{file.stem}"),
            plugin=_quoted(plugin),
            model=f"\n  model: {_quoted(model)}" if model else "",
            data=" {}" if data == "demo" else f"\n  data: {_quoted(data)}{columns}",
            method=method,
            bench=NO_BENCH if cases == "none" else BENCH.format(cases=_quoted(cases)),
        ),
        "utf-8",
    )
    if as_json:
        output.emit({"file": file}, True, lambda: "")
    output.note(f"{file} is written. See what it does: sea run {file} --dry-run   Run it: sea run {file}")


def _find_columns(data: Path) -> str:
    """Check that a set can be read. Returns the line of the pipeline file that is to be filled in, where names of
    columns are not known.

    Raises:
        DataError: there is no such set, or it cannot be read.
    """
    from sea_core.data.read import no_examples_error
    from sea_core.data.summary import has_answer
    from sea_core.pipeline.read import scan

    if str(data).startswith(HUB):
        return ""
    require_path(data)
    found = scan(data, strict=True)
    if not found.examples:
        raise no_examples_error(found)
    if any(map(has_answer, found.examples)) or not found.unused_columns:
        return ""
    columns = ", ".join(found.unused_columns)
    output.note(f"{data}: the examples have no answers, which `align` needs. Name the columns of yours ({columns}).")
    return f"\n  # columns: {{response: COLUMN}}   # or chosen and rejected; not used yet: {columns}"


def _ask(question: str, default: str) -> str:
    """Return what a person answers. Without a terminal, all must be given as options."""
    if not sys.stdin.isatty():
        hint = "Give all answers: sea init --data FILE --plugin NAME --method dpo --cases FOLDER"
        raise SeaError("there is no terminal to ask at", hint=hint)
    return str(typer.prompt(question, default=default, err=True)).strip()


def _quoted(text: str) -> str:
    """Return a text as YAML reads it."""
    return json.dumps(text, ensure_ascii=False)
