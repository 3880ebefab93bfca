"""`sea bench compare`: the same cases on a model as it is, and with each of several defences and LoRA adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_bench.cli import tables, target
from sea_bench.cli.run import find_defence, run_groups, unread_settings
from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.judge_settings import find_judges, judge_groups, unread_judge_settings
from sea_core.cli.settings import SettingGroup, read_settings, takes_settings


def compare_groups() -> list[SettingGroup]:
    """Return the settings of `sea bench compare`."""
    return [*run_groups(), *judge_groups()]


@takes_settings(compare_groups)
def compare(
    cases: target.Cases,
    out: Annotated[Path, typer.Option(help="The folder of the comparison, with a run folder for each arm.")],
    plugin: target.Plugin = None,
    server: target.Server = None,
    served_model: target.ServedModel = None,
    defences: Annotated[
        list[str],
        typer.Option(
            "--defence",
            help="An arm: system-prompt, guard, guard-after, self-check, describe-first, steering, or a plugin's; "
            "repeatable.",
        ),
    ] = [],  # noqa: B006
    arms: Annotated[
        list[str], typer.Option("--arm", metavar="NAME=FOLDER", help="An arm: a folder of sea align; repeatable.")
    ] = [],  # noqa: B006
    judge: Annotated[
        list[str], typer.Option(help="A judge of all arms, as in sea bench judge; repeatable.", show_default="refusal")
    ] = [],  # noqa: B006
    comprehension_judge: Annotated[
        list[str], typer.Option(help="As in sea bench judge; repeatable.", show_default="lexical")
    ] = [],  # noqa: B006
    modality: target.Modality = None,
    model: options.Model = None,
    tasks: target.Tasks = [],  # noqa: B006
    scenarios: target.Scenarios = [],  # noqa: B006
    conditions: target.Conditions = [],  # noqa: B006
    limit: target.CaseLimit = None,
    by_task: Annotated[bool, typer.Option("--by-task", help="A row for each task.")] = False,
    format: tables.Format = "table",
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    quantize: options.Quantize = "none",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Put the same cases to a model as it is, and with each defence and adapter, and compare them in one table.

    The model is a plugin's (--plugin), or one on a server (--server URL --served-model NAME); with --arm and without
    --model, the one that the first adapter was trained on. Each arm is an ordinary benchmark run in the folder.
    Re-run the same command to resume, or with more arms.
    Exit code 1 if a judge has not rated more than 2 % of an arm's cases.
    """
    from sea_bench.select import CaseFilter
    from sea_core.cli.progress import TERMINAL
    from sea_core.judges.base import JudgeConfig
    from sea_core.judges.registry import CONTENT, SAFETY

    judges = [*find_judges(judge, SAFETY), *find_judges(comprehension_judge, CONTENT)]
    unread = unread_settings(server, defences) | unread_judge_settings(judges)
    settings = read_settings(compare_groups(), config, option, unread)
    loras = _parse_arms(arms)
    model_target = target.find_target(
        cases,
        settings,
        plugin=plugin,
        server=server,
        served_model=served_model,
        modality=modality,
        lora=next(iter(loras.values()), None),
        lora_option="arm",
        model=model,
        revision=revision,
        dtype=dtype,
        quantize=quantize,
        device=device,
        chat_template=chat_template,
    )
    used_defences = [find_defence(name, settings) for name in defences]
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_bench.pipeline.compare import compare as compare_arms

    found = compare_arms(
        cases,
        model_target,
        out=out,
        defences=used_defences,
        loras=loras,
        judges=judge,
        comprehension=comprehension_judge,
        wanted=CaseFilter(tasks, scenarios, conditions or CaseFilter.conditions, limit),
        config=settings[""],
        judge_config=JudgeConfig(settings["llm"], settings["guard"]),
        progress=TERMINAL,
    )
    if as_json or format == "json":
        output.emit(found.as_dict(), True, lambda: "")
    else:
        tables.print_table(found.text_table(by_task=by_task), format)
    for note in found.notes():
        output.note(note)
    output.note(f"Next: sea bench report {' '.join(str(result.run.folder) for result in found.runs[:2])}")
    unreliable = sum(not run.is_reliable for run in found.report.runs)
    exit_if_failed({"arms that are not judged, or have too many unrated cases": unreliable})


def _parse_arms(texts: list[str]) -> dict[str, Path]:
    """Return the LoRA adapters by the names of their arms. Raises SeaError for a text that is not NAME=FOLDER."""
    from sea_bench.run.lora_folder import find_lora
    from sea_core.errors import SeaError

    found: dict[str, Path] = {}
    for text in texts:
        name, _, folder = text.partition("=")
        if not name or not folder:
            raise SeaError(
                f"--arm {text} is not understood", hint="Type a name and a folder of sea align: --arm sea=model"
            )
        if name in found:
            raise SeaError(f"two arms are called {name!r}", hint="Give each arm its own name: --arm NAME=FOLDER")
        found[name] = find_lora(Path(folder))
    return found
