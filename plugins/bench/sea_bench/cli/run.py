"""`sea bench run`: put a benchmark's cases to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_bench.cli import target
from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import require_benchmark
from sea_core.cli.pipeline_check import Given, check_plugin, checked_by
from sea_core.cli.settings import SettingGroup, adapter_group, read_settings, takes_settings
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_bench.defences.base import Defence
    from sea_bench.pipeline.run import RunResult
    from sea_bench.run.run_folder import BenchRun

RARE = ("rejected", "filtered", "failed", "left")
"""What becomes of cases on a server or with workers only, or seldom: not shown where there are none."""
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


def unread_settings(server: str | None, defences: Sequence[str]) -> dict[str, str]:
    """Return the prefixes of the settings that nobody reads, with the option that is missing (see `read_settings`)."""
    from sea_bench.defences.base import settings_prefix
    from sea_bench.defences.registry import known_defences

    idle = [each for each in known_defences() if each.name not in defences]
    found = {settings_prefix(each): f"--defence {each.name}" for each in idle}
    return found if server is not None else found | {"server": "--server URL"}


def find_defence(name: str, settings: Mapping[str, Any]) -> Defence:
    """Return the defence of a name with its settings. Raises SeaError if there is none."""
    from sea_bench.defences.base import settings_prefix
    from sea_bench.defences.registry import known_defences

    defence: Defence = settings[settings_prefix(known_defences().get(name))]
    return defence


def check_options(given: Given) -> None:
    """Read the settings; find the benchmark, the plugin and the defence. Raises SeaError for one that is not there."""
    require_benchmark(given["cases"])
    defence = given["defence"]
    unread = unread_settings(given["server"], [defence] if defence else [])
    settings = read_settings(run_groups(), given["config"], given["option"], unread)
    check_plugin(given, settings["adapter"])
    if defence:
        find_defence(defence, settings)


@checked_by(check_options)
@takes_settings(run_groups)
def run(
    cases: target.Cases,
    out: Annotated[Path, typer.Option(help="The run folder.")],
    plugin: target.Plugin = None,
    server: target.Server = None,
    served_model: target.ServedModel = None,
    modality: target.Modality = None,
    model: options.Model = None,
    lora: Annotated[Path | None, typer.Option(help="A LoRA adapter to put on the model (sea align).")] = None,
    defence: Annotated[
        str | None,
        typer.Option(
            help="Around the model: system-prompt, guard, guard-after, self-check, describe-first, steering, or a "
            "plugin's."
        ),
    ] = None,
    tasks: target.Tasks = [],  # noqa: B006
    scenarios: target.Scenarios = [],  # noqa: B006
    conditions: target.Conditions = [],  # noqa: B006
    limit: target.CaseLimit = None,
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
    from sea_bench.select import CaseFilter
    from sea_core.cli.progress import TERMINAL

    settings = read_settings(run_groups(), config, option, unread_settings(server, [defence] if defence else []))
    wanted = CaseFilter(tasks, scenarios, conditions or CaseFilter.conditions, limit)
    found = target.find_target(
        cases,
        settings,
        plugin=plugin,
        server=server,
        served_model=served_model,
        modality=modality,
        lora=lora,
        model=model,
        revision=revision,
        dtype=dtype,
        quantize=quantize,
        device=device,
        chat_template=chat_template,
    )
    used_defence = find_defence(defence, settings) if defence else None
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_bench.pipeline.run import run_benchmark

    result = run_benchmark(
        cases,
        found,
        out=out,
        lora=lora,
        defence=used_defence,
        wanted=wanted,
        config=settings[""],
        progress=TERMINAL,
    )
    if settings[""].workers == 0 and (left := result.run.blocks.count_left()):
        output.note(f"{number_of(left, 'case is', 'cases are')} left to do. On each computer, type: sea worker {out}")
        return
    _print(result, as_json)


def _print(result: RunResult, as_json: bool) -> None:
    preflight = asdict(result.run.manifest.preflight) if result.run.manifest.preflight else {}
    value = {
        "run": result.run.folder,
        **result.counts(),
        "preflight": {name: value for name, value in preflight.items() if name != "chat"},
    }
    lines = {name: count for name, count in value.items() if count or name not in RARE}
    lines["preflight"] = _describe(result.run)
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(lines.items())))
    for record in result.unanswered[:SHOWN]:
        output.note(f"{record['status']}: {record['key']}: {record['detail']}")
    if result.answered:
        output.note(f"Next: sea bench judge {result.run.folder}")
    exit_if_failed({"cases without an answer": len(result.unanswered)})


def _describe(run: BenchRun) -> str:
    """Return what the checks before the run found."""
    found, served = run.manifest.preflight, run.manifest.identity.served
    if found is None:
        return "-"
    what, when = ("the answer", "when asked again") if served else ("the first token's logits", "in a batch")
    changed = f"{found.media_changed} of {found.media} media change {what}"
    return f"on {found.device}: {changed}; {found.batched_same} of {found.batched} answers are the same {when}"
