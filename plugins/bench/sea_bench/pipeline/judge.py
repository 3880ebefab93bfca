"""`sea bench judge` from Python: rate the stored answers of a benchmark run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sea_bench.pipeline.report import RELIABLE_UNRATED
from sea_bench.run.run_folder import BenchRun
from sea_bench.run.score import BenchAnswers, ComprehensionAnswers
from sea_core.errors import SeaError
from sea_core.judges.base import RETRIED, Judge, JudgeConfig, JudgeFactory, Measure
from sea_core.judges.registry import CONTENT, SAFETY, open_judges
from sea_core.optimization.config import Auto
from sea_core.pipeline.judge_work import (
    JudgeWork,
    Judging,
    NamedJudge,
    judge_command,
    judge_device,
    judge_options,
    name_judges,
)
from sea_core.pipeline.launch import count_workers
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
        error: the first reason of a failed call; empty if none has failed. unusable: the key of the first answer
            that got a reply which is no rating; empty if there is none.
        comprehension: whether the answers are those to the question what a medium shows.
    """

    judge: str
    verdicts: dict[str, int]
    tokens_in: int
    tokens_out: int
    error: str
    comprehension: bool = False
    unusable: str = ""

    @property
    def replies_without_rating(self) -> int:
        """How many of the judge's replies are no rating: unparsed, or refused by the judge itself."""
        return sum(self.verdicts.get(label, 0) for label in NO_RATING)

    @property
    def title(self) -> str:
        """The judge, and what it rates if that is not the answers."""
        return f"{self.judge} (comprehension)" if self.comprehension else self.judge

    @property
    def failed_calls(self) -> int:
        """How many calls have failed: the next command retries them."""
        return sum(self.verdicts.get(label, 0) for label in RETRIED)

    @property
    def failures(self) -> dict[str, int]:
        """How many answers have no rating, by what has failed."""
        unrated = self.replies_without_rating if self.judges_badly else 0
        return {
            f"failed calls of {self.title}": self.failed_calls,
            f"replies of {self.title} that are no rating": unrated,
        }

    @property
    def judges_badly(self) -> bool:
        """Whether more than RELIABLE_UNRATED of its verdicts are such replies."""
        return self.replies_without_rating > RELIABLE_UNRATED * sum(self.verdicts.values())


NO_RATING = ("unparsed", "refused_by_judge")
"""Labels of replies that are no rating, through the judge's fault and not the answer's: `unread` is an answer's."""


def judge_run(
    run: BenchRun | Path | str,
    judges: Sequence[str | Judge] = (),
    *,
    comprehension: Sequence[str | Judge] = (),
    config: JudgeConfig | None = None,
    workers: int | Auto = 1,
    progress: Progress = SILENT,
) -> list[JudgeSummary]:
    """Rate the stored answers of a run. The refusal judge always runs as well, first.

    Where the model was asked what media show, the lexical judge says whether it names their key phrases.

    Verdicts are saved; failed calls are retried by the next call.

    Args:
        judges: names (refusal, guard, openai, transformers, or a plugin's), or judges of your own.
        comprehension: further judges of what media show: openai, transformers, a plugin's, or judges of your own.
        config: the models of the judges.
        workers: how many processes judge; `auto` for one for each GPU; 0 to leave the answers to `sea worker`. The
            judges that always run need no other process.

    Raises:
        RunError: the folder is not a benchmark run, or another process writes to it.
        SeaError: there is no such judge, a setting is missing, or a judge cannot work; or a judge of your own is to
            work in other processes.
    """
    opened = run if isinstance(run, BenchRun) else BenchRun(Path(run))
    config = config or JudgeConfig()
    selected, of_content = open_bench_judges(judges, comprehension, config, opened.folder)
    if not ComprehensionAnswers(opened).stored_answers():
        of_content = []
    factories = [*_find_factories(judges, SAFETY), *_find_factories(comprehension, CONTENT)]
    count = count_workers(workers, judge_device(factories, config))
    shared = [] if count == 1 else _name_judges(judges, comprehension, (selected, of_content))
    here = 1 if shared else None
    of_answers = [Judging[BenchRun](judge, BenchAnswers) for judge in selected]
    of_descriptions = [Judging[BenchRun](judge, ComprehensionAnswers) for judge in of_content]
    with opened.writing():
        JudgeWork(opened, [*of_answers, *of_descriptions]).make_room(progress, needs_blocks=bool(shared))
        for judging in of_answers[:here]:
            _judge_here(opened, judging, f"judge {judging.judge.name}", progress)
        for judging in of_descriptions[:here]:
            _judge_here(opened, judging, f"comprehension by {judging.judge.name}", progress)
        if shared:
            work = JudgeWork(opened, [*of_answers[1:], *of_descriptions[1:]], command=judge_command(shared, config))
            work.do_all(work.rows(), judge_options(shared, config), count, progress)
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


def _judge_here(run: BenchRun, judging: Judging[BenchRun], title: str, progress: Progress) -> None:
    """Let a judge rate the answers in this process."""
    work = JudgeWork(run, [judging], title)
    work.do_here(work.rows(), progress)


def _name_judges(
    judges: Sequence[str | Judge], comprehension: Sequence[str | Judge], opened: Sequence[Sequence[Judge]]
) -> list[NamedJudge]:
    """Return the judges that other processes are to open too, which are all but those that always run.

    Raises:
        SeaError: one of them is not a name.
    """
    if any(not isinstance(judge, str) for judge in (*judges, *comprehension)):
        hint = "Judge with one process (workers=1), or let a plugin offer the judge by a name (`sea_judges`)."
        raise SeaError("a judge that is an object cannot work in another process", hint=hint)
    named = []
    for names, found in zip(((ALWAYS, *judges), (ALWAYS_OF_CONTENT, *comprehension)), opened, strict=True):
        named += name_judges(list(dict.fromkeys(map(str, names)))[: len(found)], found)[1:]
    return named


def _open(
    judges: Sequence[str | Judge], measures: Collection[Measure], config: JudgeConfig, folder: Path
) -> list[Judge]:
    """Return the judges, each once. All are opened before any works, so that a missing setting stops everything."""
    opened = open_judges(_names(judges), loader.judges(measures), config, folder)
    return [*opened, *(judge for judge in judges if not isinstance(judge, str))]


def _find_factories(judges: Sequence[str | Judge], measures: Collection[Measure]) -> list[JudgeFactory]:
    """Return the factories of the judges that are names."""
    registry = loader.judges(measures)
    return [registry.get(name) for name in _names(judges)]


def _names(judges: Sequence[str | Judge]) -> list[str]:
    return [judge for judge in judges if isinstance(judge, str)]


class BenchJudgeWork(JudgeWork[BenchRun]):
    """Answers of a benchmark run to be rated. What counts as a failure is the same as in `sea bench judge`."""

    def failures(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for judge in self.judges:
            summarise = _summarise_comprehension if judge.measures == "content" else _summarise
            found |= summarise(self.run, judge).failures
        return found


def _summarise(run: BenchRun, judge: Judge) -> JudgeSummary:
    return _summary(judge, run.verdicts_by_judge().get(judge.name, {}))


def _summarise_comprehension(run: BenchRun, judge: Judge) -> JudgeSummary:
    verdicts = run.current_comprehension_verdicts().get(judge.name, {})
    return replace(_summary(judge, verdicts), comprehension=True)


def _summary(judge: Judge, verdicts: Mapping[str, VerdictRecord]) -> JudgeSummary:
    found = list(verdicts.values())
    return JudgeSummary(
        judge=judge.name,
        verdicts=dict(Counter(verdict["verdict"] for verdict in found)),
        tokens_in=sum(verdict["tokens_in"] or 0 for verdict in found),
        tokens_out=sum(verdict["tokens_out"] or 0 for verdict in found),
        error=next((verdict["detail"] for verdict in found if verdict["verdict"] in RETRIED), ""),
        unusable=next((key for key, verdict in verdicts.items() if verdict["verdict"] in NO_RATING), ""),
    )
