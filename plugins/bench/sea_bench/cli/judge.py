"""`sea bench judge`: rate the stored answers of a benchmark run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output

if TYPE_CHECKING:
    from sea_core.judges.base import JudgeConfig


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
    from sea_bench.pipeline.judge import judge_run
    from sea_core.cli.progress import TERMINAL

    summaries = judge_run(run, judge, config=_read_settings(option, config), progress=TERMINAL)
    columns = ("judge", "verdicts", "tokens in", "tokens out")
    rows = [(each.judge, _counts(each.verdicts), each.tokens_in, each.tokens_out) for each in summaries]
    value = {"run": run, "judges": [asdict(each) for each in summaries]}
    output.emit(value, as_json, lambda: output.grid(columns, rows))
    for each in summaries:
        if errors := each.verdicts.get("error"):
            output.note(f"{each.judge}: {errors} errors, {each.error}. Re-run the same command to retry them.")
    output.note(f"Next: sea bench report {run}")


def _read_settings(option: list[str], file: Path | None) -> JudgeConfig:
    """Read llm.* for language models and guard.* for guard models."""
    from sea_core.config import override, parse_overrides, reject_unknown, setting_names
    from sea_core.judges.base import JudgeConfig
    from sea_core.llm.config import LLMConfig

    llm, unknown = override(LLMConfig(), parse_overrides(file, option), "llm")
    guard, unknown = override(LLMConfig(), unknown, "guard")
    reject_unknown(unknown, [*setting_names(llm, "llm"), *setting_names(guard, "guard")])
    return JudgeConfig(llm, guard)


def _counts(verdicts: dict[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
