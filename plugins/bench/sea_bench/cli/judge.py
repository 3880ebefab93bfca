"""`sea bench judge`: run judges on the stored answers of a benchmark run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.cli.settings import SettingGroup, llm_group, read_settings, takes_settings

if TYPE_CHECKING:
    from sea_bench.run.run_folder import BenchRun
    from sea_core.judges.base import Judge


def judge_groups() -> list[SettingGroup]:
    """Return the settings of `sea bench judge`."""
    from sea_core.llm.config import LLMConfig

    return [
        llm_group("of --judge openai or transformers"),
        SettingGroup(LLMConfig(), "guard", "The guard model of --judge guard."),
    ]


@takes_settings(judge_groups)
def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A benchmark run (sea bench run).")],
    judge: Annotated[
        list[str],
        typer.Option(
            help="refusal, guard, openai or transformers (openai:va-original for the paper's prompt); repeatable.",
            show_default="refusal",
        ),
    ] = [],  # noqa: B006  # typer copies it
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    as_json: output.Json = False,
) -> None:
    """Judge the stored answers of a run.

    The refusal judge always runs as well. Verdicts are saved; failed calls are retried on the next run.
    """
    from sea_bench.run.run_folder import BenchRun
    from sea_bench.run.score import BenchAnswers
    from sea_core.cli.progress import bar
    from sea_core.judges.base import JudgeConfig
    from sea_core.judges.registry import SAFETY, open_judges
    from sea_core.judges.score import run_judge, unjudged
    from sea_core.plugin import loader

    opened = BenchRun(run)
    answers = BenchAnswers(opened)
    found = read_settings(judge_groups(), config, option)
    settings = JudgeConfig(found["llm"], found["guard"])
    # Before any work, so that a wrong setting stops the command.
    judges = open_judges(["refusal", *judge], SAFETY, settings, run, loader.judges)
    with opened.writing():
        for one_judge in judges:
            total, remaining = len(answers.stored_answers()), len(unjudged(answers, one_judge))
            with bar(one_judge.name, total, total - remaining) as progress:
                for count in run_judge(answers, one_judge):
                    progress.advance(count)
    summaries = [_summary(opened, one_judge) for one_judge in judges]
    columns = ("judge", "verdicts", "tokens in", "tokens out")
    cells = [(item["judge"], _counts(item), item["tokens_in"], item["tokens_out"]) for item in summaries]
    output.emit({"run": run, "judges": summaries}, as_json, lambda: output.grid(columns, cells))
    for item in summaries:
        if errors := item["verdicts"].get("error"):
            output.note(f"{item['judge']}: {errors} errors, {item['error']}. Re-run the same command to retry them.")
    output.note(f"Next: sea bench report {run}")


def _counts(summary: dict[str, Any]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in summary["verdicts"].items())


def _summary(run: BenchRun, judge: Judge) -> dict[str, Any]:
    records = list(run.verdicts_by_judge().get(judge.name, {}).values())
    tokens = {name: sum(record[name] or 0 for record in records) for name in ("tokens_in", "tokens_out")}
    verdicts = dict(Counter(record["verdict"] for record in records))
    error = next((record["detail"] for record in records if record["verdict"] == "error"), "")
    return {"judge": judge.name, "verdicts": verdicts, **tokens, "error": error}
