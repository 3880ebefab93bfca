"""`sea bench judge`: rate the stored answers of a benchmark run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.judge_settings import find_judges, judge_groups, unread_judge_settings
from sea_core.cli.pipeline_check import Given, checked_by
from sea_core.cli.settings import SettingGroup, read_settings, takes_settings
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_bench.pipeline.judge import JudgeSummary


def judge_command_groups() -> list[SettingGroup]:
    """Return the settings of `sea bench judge`."""
    from sea_core.pipeline.workers_config import WorkersConfig

    return [SettingGroup(WorkersConfig()), *judge_groups()]


def check_options(given: Given) -> None:
    """Find the judges, and read their settings. Raises SeaError for one that is not there or not accepted."""
    _read_settings(given["judge"], given["comprehension_judge"], given["option"], given["config"])


def _read_settings(
    judges: Sequence[str], of_content: Sequence[str], option: Sequence[str], config: Path | None
) -> dict[str, Any]:
    from sea_core.judges.registry import CONTENT, SAFETY

    unread = unread_judge_settings([*find_judges(judges, SAFETY), *find_judges(of_content, CONTENT)])
    return read_settings(judge_command_groups(), config, option, unread)


@checked_by(check_options)
@takes_settings(judge_command_groups)
def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A benchmark run (sea bench run).")],
    judge: Annotated[
        list[str],
        typer.Option(
            help="refusal, guard, openai or transformers (openai:va-original for the paper's prompt); repeatable.",
            show_default="refusal",
        ),
    ] = [],  # noqa: B006  # typer copies it
    comprehension_judge: Annotated[
        list[str],
        typer.Option(
            help="Who judges whether the model names what a medium shows: lexical, openai or transformers; repeatable.",
            show_default="lexical",
        ),
    ] = [],  # noqa: B006
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    as_json: output.Json = False,
) -> None:
    """Judge the stored answers of a run.

    The refusal judge always runs as well, and where the model was asked what media show, the lexical judge of that.
    Re-run the same command to resume: verdicts are saved, and failed calls are retried. Exit code 1 if calls failed, or
    more than 2 % of a judge's replies are no rating.
    """
    from sea_bench.pipeline.judge import judge_run
    from sea_core.cli.progress import TERMINAL
    from sea_core.judges.base import JudgeConfig
    from sea_core.runs.block_folder import JUDGE_BLOCKS
    from sea_core.runs.blocks import Blocks

    settings = _read_settings(judge, comprehension_judge, option, config)
    judge_config = JudgeConfig(settings["llm"], settings["guard"])
    workers = settings[""].workers
    summaries = judge_run(
        run, judge, comprehension=comprehension_judge, config=judge_config, workers=workers, progress=TERMINAL
    )
    value = {"run": run, "judges": [asdict(each) for each in summaries]}
    if workers == 0 and (left := Blocks(run, JUDGE_BLOCKS).count_left()):
        typed = " ".join(f"--judge {quote(name)}" for name in dict.fromkeys([*judge, *comprehension_judge]))
        verdicts = number_of(left, "verdict is", "verdicts are")
        output.note(f"{verdicts} left to give. On each computer, type: sea worker {quote(str(run))} {typed} ...")
        output.note("with the settings of the judges as in this command: a worker takes no model or server from a run")
        if as_json:
            output.emit(value | {"left": left}, as_json, lambda: "")
        return
    columns = ("judge", "verdicts", "tokens in", "tokens out")
    rows = [(each.title, _counts(each.verdicts), each.tokens_in, each.tokens_out) for each in summaries]
    output.emit(value, as_json, lambda: output.grid(columns, rows))
    for each in summaries:
        if errors := each.failed_calls:
            output.note(
                f"{each.judge}: {number_of(errors, 'error')}, {each.error}. Re-run the same command to retry them."
            )
    for each in summaries:
        if each.replies_without_rating:
            output.note(_describe_unusable(each, run))
    output.note(f"Next: sea bench report {run}   or, with the answers, as a page: sea report {run}")
    failed = {what: count for each in summaries for what, count in each.failures.items()}
    exit_if_failed(failed | {"judges without an answer to judge": sum(not each.verdicts for each in summaries)})


def _describe_unusable(summary: JudgeSummary, run: Path) -> str:
    """Say how many replies are no rating, and how to read one."""
    total, count = sum(summary.verdicts.values()), summary.replies_without_rating
    read = f"Read a reply: sea show {run} {quote(summary.unusable)}"
    if count == total:
        return f"No answer was rated by {summary.title}: this model does not judge. {read}"
    return f"{count} of {total} replies of {summary.title} are no rating. {read}"


def _counts(verdicts: dict[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
