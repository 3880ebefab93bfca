"""How long the tasks of a study take still: an optimisation may take a thousand times as long as an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

from sea_bench.study.journal import TaskRecord
from sea_bench.study.tasks import StudyTask


def estimate_seconds(tasks: Sequence[StudyTask], ended: Sequence[TaskRecord], jobs: int = 1) -> float | None:
    """Return how many seconds tasks take; None if that is unknown, since none has been done yet.

    Each takes as long as those of its kind and model did in the mean; without any, those of its kind, or all.

    Args:
        ended: the tasks that have ended; those that failed do not count.
        jobs: how many processes share the work.
    """
    if not tasks:
        return 0.0
    seconds = defaultdict[tuple[str, ...], list[float]](list)
    for record in ended:
        if record["status"] == "done":
            for group in _groups(record["kind"], record["model"]):
                seconds[group].append(record["seconds"])
    if not seconds:
        return None
    means = {group: fmean(each) for group, each in seconds.items()}
    each = [next(means[group] for group in _groups(task.KIND, task.model) if group in means) for task in tasks]
    return max(sum(each) / jobs, max(each))


def _groups(kind: str, model: str) -> Iterator[tuple[str, ...]]:
    """Yield what tasks are compared by, those most alike first."""
    yield kind, model
    yield (kind,)
    yield ()
