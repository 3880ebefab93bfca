"""`sea bench judge` from Python: rate the stored answers of a benchmark run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sea_bench.run.run_folder import BenchRun
from sea_bench.run.score import BenchAnswers, ComprehensionAnswers
from sea_core.judges.base import RETRIED, Judge, JudgeConfig, Measure
from sea_core.judges.registry import CONTENT, SAFETY, open_judges
from sea_core.judges.score import AnswerStore, run_judge, unjudged
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader
from sea_core.runs.records import VerdictRecord

ALWAYS = "refusal"
"""The judge that runs in any case: it is offline, and its over-refusal belongs next to every ASR."""

ALWAYS_OF_CONTENT = "lexical"
"""The judge of content that runs wherever the model was asked what media show: it is offline, too."""


@dataclass(frozen=True)
class JudgeSummary:
    """The verdicts of a judge on a run.

    Attributes:
        judge: its name.
        verdicts: number of answers by verdict.
        tokens_in, tokens_out: total length of its prompts and replies.
        error: the first reason of a failed call; empty if none has failed.
        comprehension: whether the answers are those to the question what a medium shows.
    """

    judge: str
    verdicts: dict[str, int]
    tokens_in: int
    tokens_out: int
    error: str
    comprehension: bool = False


def judge_run(
    run: BenchRun | Path | str,
    judges: Sequence[str | Judge] = (),
    *,
    comprehension: Sequence[str | Judge] = (),
    config: JudgeConfig | None = None,
    progress: Progress = SILENT,
) -> list[JudgeSummary]:
    """Rate the stored answers of a run. The refusal judge always runs as well, first.

    Where the model was asked what media show, the lexical judge says whether it names their key phrases.

    Verdicts are saved; failed calls are retried by the next call.

    Args:
        judges: names (refusal, guard, openai, transformers, or a plugin's), or judges of your own.
        comprehension: further judges of what media show: openai, transformers, a plugin's, or judges of your own.
        config: the models of the judges.

    Raises:
        RunError: the folder is not a benchmark run, or another process writes to it.
        SeaError: there is no such judge, a setting is missing, or a judge cannot work.
    """
    opened = run if isinstance(run, BenchRun) else BenchRun(Path(run))
    config = config or JudgeConfig()
    selected, of_content = open_bench_judges(judges, comprehension, config, opened.folder)
    descriptions = ComprehensionAnswers(opened)
    if not descriptions.stored_answers():
        of_content = []
    with opened.writing():
        for judge in selected:
            _judge(BenchAnswers(opened), judge, f"judge {judge.name}", progress)
        for judge in of_content:
            _judge(descriptions, judge, f"comprehension by {judge.name}", progress)
    return [_summarise(opened, judge) for judge in selected] + [
        _summarise_comprehension(opened, judge) for judge in of_content
    ]


def open_bench_judges(
    judges: Sequence[str | Judge], comprehension: Sequence[str | Judge], config: JudgeConfig, folder: Path
) -> tuple[list[Judge], list[Judge]]:
    """Return the judges of answers, and those of what media show, with those that always run. Nothing is loaded.

    Raises:
        SeaError: there is no such judge, or a setting is missing.
    """
    return (
        _open([ALWAYS, *judges], SAFETY, config, folder),
        _open([ALWAYS_OF_CONTENT, *comprehension], CONTENT, config, folder),
    )


def _judge(answers: AnswerStore, judge: Judge, title: str, progress: Progress) -> None:
    total, remaining = len(answers.stored_answers()), len(unjudged(answers, judge))
    with progress.track(title, total, total - remaining) as tracker:
        for count in run_judge(answers, judge):
            tracker.advance(count)


def _open(
    judges: Sequence[str | Judge], measures: Collection[Measure], config: JudgeConfig, folder: Path
) -> list[Judge]:
    """Return the judges, each once. All are opened before any works, so that a missing setting stops everything."""
    names = [judge for judge in judges if isinstance(judge, str)]
    opened = open_judges(names, measures, config, folder, loader.judges)
    return [*opened, *(judge for judge in judges if not isinstance(judge, str))]


def _summarise(run: BenchRun, judge: Judge) -> JudgeSummary:
    return _summary(judge, run.verdicts_by_judge().get(judge.name, {}).values())


def _summarise_comprehension(run: BenchRun, judge: Judge) -> JudgeSummary:
    verdicts = run.current_comprehension_verdicts().get(judge.name, {}).values()
    return replace(_summary(judge, verdicts), comprehension=True)


def _summary(judge: Judge, verdicts: Iterable[VerdictRecord]) -> JudgeSummary:
    found = list(verdicts)
    return JudgeSummary(
        judge=judge.name,
        verdicts=dict(Counter(verdict["verdict"] for verdict in found)),
        tokens_in=sum(verdict["tokens_in"] or 0 for verdict in found),
        tokens_out=sum(verdict["tokens_out"] or 0 for verdict in found),
        error=next((verdict["detail"] for verdict in found if verdict["verdict"] in RETRIED), ""),
    )
