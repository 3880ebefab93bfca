"""`sea bench run`: put a benchmark's cases to a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.settings import SettingGroup, adapter_group, read_settings, takes_settings
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_bench.defences.base import Defence
    from sea_bench.pipeline.run import RunResult
    from sea_bench.run.run_folder import Preflight

NO_MODEL_HINT = (
    "Type --plugin NAME (`sea modalities` lists the installed ones), or --server URL --served-model NAME for a model "
    "on a server."
)
SHOWN = 5
"""Number of unanswered cases that are listed."""


def run_groups() -> list[SettingGroup]:
    """Return the settings of `sea bench run`."""
    from sea_bench.run.config import AnswerConfig, ServerConfig

    return [SettingGroup(AnswerConfig()), SettingGroup(ServerConfig(), "server"), adapter_group(), *defence_groups()]


def defence_groups() -> list[SettingGroup]:
    """Return the settings of all defences, built-in and of the installed plugins."""
    from sea_bench.defences.base import settings_prefix
    from sea_bench.defences.registry import known_defences

    return [
        SettingGroup(each, settings_prefix(each), f"--defence {each.name}: {{summary}}") for each in known_defences()
    ]


def find_defence(name: str, settings: Mapping[str, Any]) -> Defence:
    """Return the defence of a name with its settings. Raises SeaError if there is none."""
    from sea_bench.defences.base import settings_prefix
    from sea_bench.defences.registry import known_defences

    defence: Defence = settings[settings_prefix(known_defences().get(name))]
    return defence


@takes_settings(run_groups)
def run(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A benchmark folder (sea bench build).")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    plugin: Annotated[
        str | None, typer.Option("--plugin", "-p", help="An installed plugin (`sea plugins`), or ./file.py.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Not a plugin, but a server with an OpenAI-compatible chat API."),
    ] = None,
    served_model: Annotated[str | None, typer.Option(metavar="NAME", help="The model's name on the server.")] = None,
    modality: Annotated[
        str | None,
        typer.Option(help="Which of the plugin's modalities, or of the benchmark's sets, if it has several."),
    ] = None,
    model: options.Model = None,
    lora: Annotated[Path | None, typer.Option(help="A LoRA adapter to put on the model (sea align).")] = None,
    defence: Annotated[
        str | None,
        typer.Option(help="Around the model: system-prompt, guard, guard-after, self-check, steering, or a plugin's."),
    ] = None,
    tasks: Annotated[list[str], typer.Option("--task", help="Only this task; repeatable.")] = [],  # noqa: B006
    scenarios: Annotated[list[str], typer.Option("--scenario", help="Only this scenario; repeatable.")] = [],  # noqa: B006
    conditions: Annotated[
        list[str],
        typer.Option("--condition", help="text, media, blank or no_media; repeatable.", show_default="text, media"),
    ] = [],  # noqa: B006
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N cases of each scenario and task.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    quantize: options.Quantize = "none",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Put a benchmark's cases to a model, greedily, and store every answer.

    The model is a plugin's (--plugin), or one on a server (--server URL --served-model NAME).
    With --lora and without --model, the model is the one that the LoRA adapter was trained on.
    Re-run the same command to resume. `sea bench judge` rates the answers.
    """
    from sea_bench.pipeline.run import on_base, only_set, run_benchmark
    from sea_bench.run.served import ServedTarget
    from sea_bench.select import CaseFilter
    from sea_core.cli.progress import TERMINAL
    from sea_core.pipeline.inputs import ModelTarget

    settings = read_settings(run_groups(), config, option)
    local: dict[str, Any] = {
        "model": model,
        "revision": revision,
        "dtype": dtype,
        "quantize": quantize,
        "device": device,
        "chat_template": chat_template,
    }
    target: ModelTarget | ServedTarget
    if server is not None:
        _reject_local({"plugin": plugin, "lora": lora, **local, "adapter settings": settings["adapter"]})
        target = ServedTarget(server, served_model or "", modality or only_set(cases), settings["server"])
    elif plugin is None or served_model is not None:
        raise SeaError("no model was named", hint=NO_MODEL_HINT)
    else:
        found = ModelTarget.find(plugin, modality=modality, settings=settings["adapter"], **local)
        target = on_base(found, lora) if lora and model is None else found
    wanted = CaseFilter(tasks, scenarios, conditions or CaseFilter.conditions, limit)
    result = run_benchmark(
        cases,
        target,
        out=out,
        lora=lora,
        defence=find_defence(defence, settings) if defence else None,
        wanted=wanted,
        config=settings[""],
        progress=TERMINAL,
    )
    _print(result, as_json)


def _reject_local(given: Mapping[str, object]) -> None:
    """Raise SeaError for an option that is about a model on this machine."""
    for name, value in given.items():
        if value and value not in ("auto", "none"):
            option = name if " " in name else f"--{name.replace('_', '-')}"
            raise SeaError(
                f"{option} is about a model on this machine, and --server about one elsewhere",
                hint="Type one of them. A server loads and configures its models by itself.",
            )


def _print(result: RunResult, as_json: bool) -> None:
    preflight = asdict(result.run.manifest.preflight) if result.run.manifest.preflight else {}
    value = {
        "run": result.run.folder,
        **result.counts(),
        "preflight": {name: value for name, value in preflight.items() if name != "chat"},
    }
    lines = {**value, "preflight": _describe(result.run.manifest.preflight)}
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(lines.items())))
    for record in result.unanswered[:SHOWN]:
        output.note(f"{record['status']}: {record['key']}: {record['detail']}")
    if result.answered:
        output.note(f"Next: sea bench judge {result.run.folder}")
    exit_if_failed({"cases without an answer": len(result.unanswered)})


def _describe(found: Preflight | None) -> str:
    """Return what the checks before the run found."""
    if found is None:
        return "-"
    changed = f"{found.media_changed} of {found.media} media change the first token's logits"
    return f"on {found.device}: {changed}; {found.batched_same} of {found.batched} answers are the same in a batch"
