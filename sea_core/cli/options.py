"""The options that commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli.inputs import refusing, require_data, require_path

FORMATS = (
    "plain, prompts, prepared, pku-saferlhf, hh-rlhf, hh-rlhf-single, beavertails, beavertails-v, spa-vl, vlguard, "
    "alpaca, sharegpt, ms-swift, trl"
)
"""The built-in formats but those of published sets. Written out, because `sea --help` does not import them."""

DataFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATA",
        callback=refusing(require_data),
        help="A text safety set: file, folder or hf:OWNER/NAME. Default: the demo set.",
    ),
]


def known_plugin(name: str | None) -> str | None:
    """Refuse a plugin's name that is not known at once: what a command imports for its work takes seconds."""
    if name:
        from sea_core.plugin.loader import require_name

        require_name(name)
    return name


PluginName = Annotated[
    str,
    typer.Option("--plugin", "-p", callback=known_plugin, help="An installed plugin (`sea plugins`), or ./file.py."),
]
"""Required: a command declares it without a default, as its first parameter."""
Modality = Annotated[str | None, typer.Option(help="Which of the plugin's modalities, if it has several.")]
Model = Annotated[str | None, typer.Option(help="A model folder or a hub id. Default: the plugin's own model.")]
RunModel = Annotated[
    str | None, typer.Option("--model", help="The run's model, if it has moved. Default: where the run found it.")
]
RunPlugin = Annotated[
    str | None,
    typer.Option(
        "--plugin",
        "-p",
        callback=known_plugin,
        help="For a run made with a plugin file: its path, ./file.py. Default: the run's.",
    ),
]
ChatTemplate = Annotated[
    Path | None,
    typer.Option(
        "--chat-template",
        metavar="FILE",
        callback=refusing(require_path),
        help="A Jinja file, for a model without a chat template or with a wrong one.",
    ),
]
Language = Annotated[
    str, typer.Option("--lang", help="The language of questions and target answers: en (English) or zh (Chinese).")
]
Revision = Annotated[str | None, typer.Option(help="The commit of a hub model. Default: the newest.")]
Dtype = Annotated[
    str, typer.Option(help="float32, bfloat16, float16, or auto: bfloat16 on a GPU that supports it, else float32.")
]
RunDtype = Annotated[str, typer.Option("--dtype", help="float32, bfloat16, float16, or auto: the run's.")]
Quantize = Annotated[
    str,
    typer.Option(
        help="Keep the language model's linear layers in 4bit or 8bit (with the extra sea-core[quantize]), or none."
    ),
]
RunQuantize = Annotated[
    str,
    typer.Option("--quantize", help="Train LoRA on 4bit or 8bit weights (QLoRA), none, or auto: as the run."),
]
Device = Annotated[
    str,
    typer.Option(
        help="A device of torch, or auto: cuda if available, else mps, else cpu. Several for one model: cuda:0,cuda:1, "
        "all, or a device map in a .json file."
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="Override a setting, KEY=VALUE; list them with `sea settings COMMAND`.",
    ),
]
SettingsFile = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of settings; those of -o override it.")
]
Format = Annotated[
    str,
    typer.Option(
        help=f"The format of the data: {FORMATS}, a published set's (xstest, harmbench, ...; listed in "
        "docs/how-to/prepare-your-data.md), a plugin's, or auto: detected from the columns."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(metavar="OURS=THEIRS,...", help="Names of columns, as in instruction=question,response=answer."),
]
Styles = Annotated[
    Path | None,
    typer.Option(
        callback=refusing(require_path), help="A style set (`sea styles`). Default: the styles of the plugin's adapter."
    ),
]
Split = Annotated[str | None, typer.Option(help="Which split of a folder or a hub data set, if it has several.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip invalid records; `sea data check` lists them.")]
MediaRoot = Annotated[
    Path | None,
    typer.Option(
        "--media-root",
        metavar="DIR",
        callback=refusing(require_path),
        help="Where the media lie, if not in the folder of the data.",
    ),
]
LabelErrors = Annotated[
    str,
    typer.Option(
        metavar="RATES",
        help="How often people's labels are wrong: FALSE_UNSAFE,FALSE_SAFE or one rate for both, as 0.02, or 1/50 as "
        "counted in a check; `people`: as often as their disagreements show.",
        show_default="never",
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Use only the first N prepared examples. Default: all.")]
