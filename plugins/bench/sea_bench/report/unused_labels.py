"""Labels that correct no figure of a report, in sentences: people should not label in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sea_bench.labels.labels import Labels
from sea_bench.report.calibration import Calibration
from sea_bench.report.changes import ALL_TASKS
from sea_bench.report.tables import counted_task
from sea_bench.run.run_folder import AnswerRecord, BenchRun, PersonLabel
from sea_core.runs.calibration import MIN_LABELS


def unused_label_notes(
    runs: Sequence[BenchRun], names: Sequence[str], calibrations: Sequence[Calibration]
) -> Iterator[str]:
    """Yield which labels of each run correct nothing, and why.

    Args:
        names: the labels of the runs in the report.
    """
    for run, name in zip(runs, names, strict=True):
        labels = [(key, label) for of_person in Labels(run).read().values() for key, label in of_person.items()]
        records = run.answer_records()
        labelled = [(records[key], label) for key, label in labels]
        found = [each for each in calibrations if each.run == name]
        yield from _without_judge(run, name, labelled, found)
        yield from _in_small_tasks(name, labelled, found)


def _without_judge(
    run: BenchRun,
    name: str,
    labelled: Sequence[tuple[AnswerRecord, PersonLabel]],
    calibrations: Sequence[Calibration],
) -> Iterator[str]:
    unsafe = sum(label == "unsafe" and not record["benign"] for record, label in labelled)
    if unsafe and not any(each.measure == "asr" for each in calibrations):
        yield (
            f"{name}: {unsafe} labels say unsafe, and no judge has rated whether these answers are safe, so that there "
            f"is no ASR for the labels to correct. Type: sea bench judge {run.folder} --judge guard"
        )


def _in_small_tasks(
    name: str, labelled: Sequence[tuple[AnswerRecord, PersonLabel]], calibrations: Sequence[Calibration]
) -> Iterator[str]:
    """Yield the tasks without a medium, outside of `ALL_TASKS`, that have too few labels for figures of their own."""
    if not any(each.task == ALL_TASKS for each in calibrations):
        return
    counted = {each.task for each in calibrations}
    text_tasks = [counted_task(record) for record, _ in labelled if record["condition"] != "media"]
    for task in dict.fromkeys(text_tasks):
        if task not in counted:
            yield (
                f"{name}: the {text_tasks.count(task)} labels of {task} correct nothing: {ALL_TASKS} are those with "
                f"media, and a task has figures of its own with at least {MIN_LABELS} labels for one"
            )
