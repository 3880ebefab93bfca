"""`sea bench add`: a published set becomes one of a benchmark folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output


def add(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Omni-SafetyBench's or MOSSBench's folder, or a file of prompts.")
    ],
    out: Annotated[Path, typer.Option(help="The benchmark folder; it may be new, or contain other sets.")],
    modality: Annotated[str, typer.Option(help="Of the models to be asked: image, video, audio, image+audio, ...")],
    name: Annotated[str | None, typer.Option(help="Name of a set of prompts. Default: its format's or file's.")] = None,
    benign: Annotated[
        bool | None,
        typer.Option("--benign/--harmful", help="What all prompts are.", show_default="what their file says"),
    ] = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    as_json: output.Json = False,
) -> None:
    """Add a published set to a benchmark folder, as tasks of its own, to run and report it beside other sets.

    Prompts without media, such as XSTest and OR-Bench, are asked as text alone. Media are copied. Nothing is
    overwritten; re-run the same command to resume.
    """
    from sea_bench.pipeline.add import add_set
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.data_spec import DataSpec, parse_columns

    data = DataSpec(source, format, parse_columns(columns), split=split)
    result = add_set(data, out, modality=modality, name=name, benign=benign, progress=TERMINAL)
    value = asdict(result)
    tasks = ", ".join(f"{task} ({count})" for task, count in result.tasks.items())
    shown = value | {"tasks": tasks}
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(shown.items())))
    output.note(f"Next: sea bench check {out}   and: sea bench run {out} --plugin NAME --out RUN")
