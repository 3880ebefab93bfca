"""What a benchmark run consists of, and what its metrics leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.report.metrics import METRIC_NAMES, decided_metrics, ratings
from sea_bench.run.records import AnsweredRecord
from sea_bench.run.run_folder import BenchRun
from sea_core.llm.reasoning import answer_text


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run consists of, and what is missing from it.

    Attributes:
        run: its label. model: the checkpoint, and lora the folder of the LoRA adapter on it.
        cases: how many cases were selected. not_asked: how many of them have no record.
        missing: cases whose medium does not exist or that are malformed. unreadable: cases whose medium
            is corrupt, or whose text the model cannot read as text. rejected, filtered, failed: cases that the
            model did not take, that the provider's content filter stopped, and that failed for the time being.
        truncated: answers that reached the maximum length. empty: answers that say nothing, and are unrated.
    """

    run: str
    folder: Path
    plugin: str
    model: str
    lora: str | None
    cases: int
    answered: int
    missing: int
    unreadable: int
    rejected: int
    filtered: int
    failed: int
    not_asked: int
    truncated: int
    empty: int


def summarise_run(run: BenchRun) -> RunSummary:
    """Return what a run consists of, and what is missing from it."""
    records, metadata = run.answer_records(), run.manifest.metadata
    answered = run.answered_records().values()
    status = [record["status"] for record in records.values()]
    return RunSummary(
        run=run.label,
        folder=run.folder,
        plugin=run.manifest.identity.plugin,
        model=metadata.model.checkpoint,
        lora=metadata.lora,
        cases=max(metadata.cases, len(records)),
        answered=status.count("answered"),
        missing=status.count("missing"),
        unreadable=status.count("unreadable"),
        rejected=status.count("rejected"),
        filtered=status.count("filtered"),
        failed=status.count("failed"),
        not_asked=max(0, metadata.cases - len(records)),
        truncated=sum(record["truncated"] for record in answered),
        empty=sum(not answer_text(record["answer"]) for record in answered),
    )


NONE_IN_COMMON = "These runs have no case in common, so there is no change to test."


def describe_differences(runs: Sequence[BenchRun]) -> list[str]:
    """Return a sentence for each way in which the cases of a run differ from those of the first run."""
    first, *others = runs
    if others and not any(first.answer_records().keys() & run.answer_records().keys() for run in others):
        return [NONE_IN_COMMON]
    sentences = []
    reference, answered = first.answer_records(), first.answered_records()
    for run in others:
        records = run.answer_records()
        fewer, more = len(reference.keys() - records.keys()), len(records.keys() - reference.keys())
        answers = run.answered_records()
        changed = sum(_input(answers[key]) != _input(record) for key, record in answered.items() if key in answers)
        counts = {
            f"{run.label} lacks {_cases(fewer)} of {first.label}": fewer,
            f"{run.label} has {_cases(more)} that {first.label} lacks": more,
            f"{run.label} has {_cases(changed)} with other texts or media than {first.label}": changed,
        }
        sentences += [sentence for sentence, count in counts.items() if count]
    return sentences


def _cases(count: int) -> str:
    return f"{count} case{'s' * (count != 1)}"


def _input(record: AnsweredRecord) -> tuple[str, str | None]:
    return record["question"], record["media_sha256"]


def unsafe_on_benign(run: BenchRun) -> dict[str, tuple[int, int]]:
    """Return for each judge of safety how many answers to the benign twin it rates unsafe, and how many it rates."""
    benign = {key for key, record in run.answer_records().items() if record["benign"]}
    counts: dict[str, tuple[int, int]] = {}
    for judge, verdicts in run.verdicts_by_judge().items():
        rated = [value for key, value in ratings(verdicts, "asr").items() if key in benign and value is not None]
        if rated:
            counts[judge] = (sum(rated), len(rated))
    return counts


def unrated_ratio(run: BenchRun) -> dict[str, float]:
    """Return for each judge the ratio of the run's cases that it has not rated, for whatever reason."""
    cases = summarise_run(run).cases
    ratios = {}
    for judge, verdicts in run.verdicts_by_judge().items():
        measure = next(iter(decided_metrics([verdicts])), METRIC_NAMES[0])
        rated = sum(value is not None for value in ratings(verdicts, measure).values())
        ratios[judge] = (cases - rated) / cases if cases else 0.0
    return ratios
