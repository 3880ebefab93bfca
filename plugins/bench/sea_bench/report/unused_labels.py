"""Labels that correct no figure of a report, in sentences: people should not label in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sea_bench.case import ALL_TASKS
from sea_bench.labels.labels import Labels
from sea_bench.report.calibration import Calibration
from sea_bench.report.metrics import decided_metrics
from sea_bench.report.tables import counted_task
from sea_bench.run.records import AnswerRecord, PersonLabel
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.calibration import MIN_LABELS
from sea_core.runs.label_errors import PEOPLE

DECIDING: tuple[PersonLabel, ...] = ("unsafe", "refused", "safe")
"""The labels that say something: not unclear."""


def unused_label_notes(
    runs: Sequence[BenchRun], names: Sequence[str], calibrations: Sequence[Calibration], label_errors: str = ""
) -> Iterator[str]:
    """Yield which labels of each run correct nothing, and why, and whether given label errors do.

    Args:
        names: the labels of the runs in the report. label_errors: as `calibrate` takes them.
    """
    for run, name in zip(runs, names, strict=True):
        yield from _without_judge(run, name)
        for benign in (False, True):
            found = [each for each in calibrations if each.run == name and each.benign is benign]
            yield from _in_small_tasks(run, name, benign, found)
    is_given = label_errors not in ("", PEOPLE)
    if is_given and calibrations and not any(each.measure == "asr" for each in calibrations):
        yield f"the label errors {label_errors} are not used: they are those of unsafe, and this report has no ASR"


def _without_judge(run: BenchRun, name: str) -> Iterator[str]:
    unsafe = sum(not record["benign"] for record in _labelled_answers(run, ("unsafe",)))
    if unsafe and "asr" not in decided_metrics(list(run.verdicts_by_judge().values())):
        yield (
            f"{name}: {unsafe} answers are labelled unsafe, and no judge has rated whether they are safe, so that "
            f"there is no ASR for the labels to correct. Type: sea bench judge {run.folder} --judge guard "
            "-o guard.model=Qwen/Qwen3Guard-Gen-0.6B"
        )


def _in_small_tasks(run: BenchRun, name: str, benign: bool, calibrations: Sequence[Calibration]) -> Iterator[str]:
    """Yield the tasks without a medium, outside of `ALL_TASKS`, that have too few labels for figures of their own."""
    if not any(each.task == ALL_TASKS for each in calibrations):
        return
    counted = {each.task for each in calibrations}
    labelled = [each for each in _labelled_answers(run, DECIDING) if each["benign"] is benign]
    for task, count in Counter(counted_task(each) for each in labelled if each["condition"] != "media").items():
        if task not in counted:
            answers = f"{count} {'benign' if benign else 'harmful'} answer{'s' * (count > 1)}"
            yield (
                f"{name}: the labels of {answers} of {task} correct nothing: {ALL_TASKS} are those with media, and a "
                f"task has figures of its own with labels for at least {MIN_LABELS} answers"
            )


def _labelled_answers(run: BenchRun, labels: Collection[str]) -> list[AnswerRecord]:
    """Return the answers to which a person gave one of these labels, each once."""
    given = [(key, label) for of_person in Labels(run).read().values() for key, label in of_person.items()]
    records = run.answer_records()
    return [records[key] for key in dict.fromkeys(key for key, label in given if label in labels)]
