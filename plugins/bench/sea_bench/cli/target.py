"""Which cases are answered, and by which model, as they are typed: a plugin's on this machine, or one on a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli.inputs import refusing, require_benchmark
from sea_core.cli.options import known_plugin
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_bench.run.served import ServedTarget
    from sea_core.pipeline.model_target import ModelTarget

Cases = Annotated[
    Path,
    typer.Argument(metavar="CASES", callback=refusing(require_benchmark), help="A benchmark folder (sea bench build)."),
]
Plugin = Annotated[
    str | None,
    typer.Option("--plugin", "-p", callback=known_plugin, help="An installed plugin (`sea plugins`), or ./file.py."),
]
Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Not a plugin, but a server with an OpenAI-compatible chat API.")
]
ServedModel = Annotated[str | None, typer.Option(metavar="NAME", help="The model's name on the server.")]
Modality = Annotated[
    str | None, typer.Option(help="Which of the plugin's modalities, or of the benchmark's sets, if it has several.")
]
Tasks = Annotated[list[str], typer.Option("--task", help="Only this task; repeatable.")]
Scenarios = Annotated[list[str], typer.Option("--scenario", help="Only this scenario; repeatable.")]
Conditions = Annotated[
    list[str],
    typer.Option("--condition", help="text, media, blank or no_media; repeatable.", show_default="text, media"),
]
CaseLimit = Annotated[int | None, typer.Option(min=1, help="Only the first N cases of each scenario and task.")]
NO_MODEL_HINT = (
    "Type --plugin NAME (`sea modalities` lists the installed ones), or --server URL --served-model NAME for a model "
    "on a server."
)


def find_target(
    cases: Path,
    settings: Mapping[str, Any],
    *,
    plugin: str | None,
    server: str | None,
    served_model: str | None,
    modality: str | None,
    lora: Path | None,
    lora_option: str = "lora",
    **local: Any,
) -> ModelTarget | ServedTarget:
    """Return the model that is typed; with a LoRA adapter and without --model, the one that it was trained on.

    Args:
        settings: of the command, by prefix.
        lora_option: how the LoRA adapter is typed.
        local: the options about a model on this machine, as `ModelTarget.find` takes them.

    Raises:
        SeaError: no model is named, or options of both kinds are.
    """
    from sea_bench.layout import only_set
    from sea_bench.run.base_model import on_base
    from sea_bench.run.served import ServedTarget
    from sea_core.pipeline.model_target import ModelTarget

    if server is not None:
        _reject_local({"plugin": plugin, lora_option: lora, **local, "adapter settings": settings["adapter"]})
        return ServedTarget(server, served_model or "", modality or only_set(cases), settings["server"])
    if served_model is not None:
        raise SeaError("--served-model names a model on a server, and no server was named", hint="Add: --server URL")
    if plugin is None:
        raise SeaError("no model was named", hint=NO_MODEL_HINT)
    found = ModelTarget.find(plugin, modality=modality, settings=settings["adapter"], **local)
    return on_base(found, lora) if lora and local.get("model") is None else found


def _reject_local(given: Mapping[str, object]) -> None:
    """Raise SeaError for an option that is about a model on this machine."""
    for name, value in given.items():
        if value and value not in ("auto", "none"):
            option = name if " " in name else f"--{name.replace('_', '-')}"
            raise SeaError(
                f"{option} is about a model on this machine, and --server about one elsewhere",
                hint="Type one of them. A server loads and configures its models by itself.",
            )
