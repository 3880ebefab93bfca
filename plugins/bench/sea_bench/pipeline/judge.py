"""`sea bench judge` from Python: rate the stored answers of a benchmark run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.run.run_folder import BenchRun
from sea_bench.run.score import BenchAnswers
from sea_core.judges.base import Judge, JudgeConfig
from sea_core.judges.registry import SAFETY, open_judges
from sea_core.judges.score import run_judge, unjudged
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader

ALWAYS = "refusal"
"""The judge that runs in any case: it is offline, and its over-refusal belongs next to every ASR."""


@dataclass(frozen=True)
class JudgeSummary:
    """The verdicts of a judge on a run.

    Attributes:
        judge: its name.
        verdicts: number of answers by verdict.
        tokens_in, tokens_out: total length of its prompts and replies.
        error: the first reason of a failed call; empty if none has failed.
    """

    judge: str
    verdicts: dict[str, int]
    tokens_in: int
    tokens_out: int
    error: str


def judge_run(
    run: BenchRun | Path | str,
    judges: Sequence[str | Judge] = (),
    *,
    config: JudgeConfig | None = None,
    progress: Progress = SILENT,
) -> list[JudgeSummary]:
    """Rate the stored answers of a run. The refusal judge always runs as well, first.

    Verdicts are saved; failed calls are retried by the next call.

    Args:
        judges: names (refusal, guard, openai, transformers, or a plugin's), or judges of your own.
        config: the models of the judges.

    Raises:
        RunError: the folder is not a benchmark run, or another process writes to it.
        SeaError: there is no such judge, a setting is missing, or a judge cannot work.
    """
    opened = run if isinstance(run, BenchRun) else BenchRun(Path(run))
    selected = _open(judges, config or JudgeConfig(), opened.folder)
    answers = BenchAnswers(opened)
    with opened.writing():
        for judge in selected:
            total, remaining = len(answers.stored_answers()), len(unjudged(answers, judge))
            with progress.track(f"judge {judge.name}", total, total - remaining) as tracker:
                for count in run_judge(answers, judge):
                    tracker.advance(count)
    return [_summarise(opened, judge) for judge in selected]


def _open(judges: Sequence[str | Judge], config: JudgeConfig, folder: Path) -> list[Judge]:
    """Return the judges, each once. All are opened before any works, so that a missing setting stops everything."""
    names = [ALWAYS, *(judge for judge in judges if isinstance(judge, str))]
    opened = open_judges(names, SAFETY, config, folder, loader.judges)
    return [*opened, *(judge for judge in judges if not isinstance(judge, str))]


def _summarise(run: BenchRun, judge: Judge) -> JudgeSummary:
    verdicts = run.verdicts_by_judge().get(judge.name, {}).values()
    return JudgeSummary(
        judge=judge.name,
        verdicts=dict(Counter(verdict["verdict"] for verdict in verdicts)),
        tokens_in=sum(verdict["tokens_in"] or 0 for verdict in verdicts),
        tokens_out=sum(verdict["tokens_out"] or 0 for verdict in verdicts),
        error=next((verdict["detail"] for verdict in verdicts if verdict["verdict"] == "error"), ""),
    )
