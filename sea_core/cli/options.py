"""The options that commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataFile = Annotated[
    Path | None,
    typer.Argument(metavar="DATA", help="A text safety set: file, folder or hf:OWNER/NAME. Default: the demo set."),
]
PluginName = Annotated[str, typer.Option("--plugin", "-p", help="An installed plugin (`sea plugins`), or ./file.py.")]
"""Required: a command declares it without a default, as its first parameter."""
Modality = Annotated[str | None, typer.Option(help="Which of the plugin's modalities, where it has several.")]
Model = Annotated[str | None, typer.Option(help="A model folder or a hub id. Default: the plugin's own model.")]
RunModel = Annotated[str | None, typer.Option("--model", help="Where the run's model is now. Default: where it was.")]
Revision = Annotated[str | None, typer.Option(help="The commit of a hub model.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16. Default: bfloat16 on a GPU, else float32.")]
RunDtype = Annotated[str, typer.Option("--dtype", help="float32, bfloat16 or float16. Default: the run's.")]
Device = Annotated[str, typer.Option(help="Default: cuda if there is one, else mps, else cpu.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--option", "-o", metavar="KEY=VALUE", help="Override a setting; list them with `sea settings COMMAND`."
    ),
]
SettingsFile = Annotated[Path | None, typer.Option("--config", help="A YAML file of settings.")]
Format = Annotated[str, typer.Option(help="The format of DATA.")]
Columns = Annotated[str | None, typer.Option(help="Names of columns: instruction=question,response=answer.")]
Styles = Annotated[Path | None, typer.Option(help="A style set (sea styles), in place of the adapter's.")]
Split = Annotated[str | None, typer.Option(help="Which split of a folder or of a hub data set.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip invalid records; sea data check lists them.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Use only the first N prepared examples.")]
