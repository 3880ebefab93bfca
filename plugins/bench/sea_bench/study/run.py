"""`sea study run` from Python: do what a study lacks. It can be stopped at any time, and several processes may work."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sea_bench.study.journal import AnswerEntry, StudyContent, StudyFolder, TaskRecord
from sea_bench.study.plan import Plan, embeddings_of, plan_study
from sea_bench.study.study import PARTS, Study, settings_of
from sea_bench.study.tasks import AnswerTask, StudyTask, setting_digest
from sea_bench.study.time_left import estimate_seconds
from sea_core import __version__
from sea_core.errors import SeaError, one_line
from sea_core.pipeline.progress import SILENT, Progress, Tracker
from sea_core.plugin.isolation import catch_any, describe
from sea_core.runs.lock import Locked, locked
from sea_core.runs.manifest import current_time

WAIT = 3.0
"""Seconds until it is tried again whether a task that another process works on has ended."""


@dataclass(frozen=True)
class StudyResult:
    """What became of the tasks of a study.

    Attributes:
        done: how many tasks are done. failed: why tasks failed, by their labels. skipped: tasks that need one of these.
    """

    folder: Path
    done: int
    failed: Mapping[str, str]
    skipped: Sequence[str]


def run_study(
    study: Study, *, test: bool = False, command: str = "", jobs: int = 1, progress: Progress = SILENT
) -> StudyResult:
    """Do all tasks of a study that are not done. The same call again goes on; other processes may make it as well.

    Args:
        test: answer the test benchmarks, too.
        command: as it was typed, for the report.
        jobs: how many processes work on the study, for the time left.

    Raises:
        SeaError: the study cannot be started: a file, plugin or model is not there.
    """
    plan = plan_study(study, PARTS if test else ("validation",))
    folder = StudyFolder(study.folder)
    folder.write(_content(study, plan_study(study, PARTS) if test or folder.has_test() else plan, command))
    folder.put_aside_damage()
    worker = _StudyWorker(folder, plan.tasks, jobs)
    done = folder.done()
    with progress.track("study", len(plan.tasks), sum(task.folder in done for task in plan.tasks)) as tracker:
        worker.work(tracker)
    skipped = [task.label for task in plan.tasks if task.folder in worker.skipped]
    finished = len(plan.tasks) - len(skipped) - len(worker.failed)
    return StudyResult(study.folder, finished, worker.failed, skipped)


class _StudyWorker:
    """One process that works on a study."""

    def __init__(self, folder: StudyFolder, tasks: Sequence[StudyTask], jobs: int) -> None:
        self.folder, self.tasks, self.jobs = folder, tasks, jobs
        self.failed: dict[str, str] = {}
        self.failed_folders: set[Path] = set()
        self.skipped: set[Path] = set()

    def work(self, tracker: Tracker) -> None:
        """Do the tasks in their order; those that another process works on are waited for at the end."""
        done = self.folder.done()
        waiting = [task for task in self.tasks if task.folder not in done]
        while waiting:
            left = []
            for task in waiting:
                if not self._try(task, tracker):
                    left.append(task)
            if len(left) == len(waiting):
                time.sleep(WAIT)
            waiting = left

    def _try(self, task: StudyTask, tracker: Tracker) -> bool:
        """Do a task, and return whether it has ended, here or in another process."""
        done = self.folder.done()
        if task.folder in done:
            self._report(tracker, 1, task)
            return True
        if any(each.folder in self.failed_folders | self.skipped for each in task.inputs):
            self.skipped.add(task.folder)
            return True
        if not all(each.folder in done for each in task.inputs):
            return False
        try:
            with locked(task.folder.with_name(f".{task.folder.name}.lock"), task.folder, parents=True):
                if task.folder not in self.folder.done():
                    self._report(tracker, 0, task)
                    self._do(task)
        except Locked:
            return False
        self._report(tracker, 1, task)
        return True

    def _report(self, tracker: Tracker, count: int, task: StudyTask) -> None:
        ended = self.folder.done() | self.failed_folders | self.skipped
        left = [each for each in self.tasks if each.folder not in ended]
        seconds_left = estimate_seconds(left, self.folder.tasks.read(), self.jobs)
        tracker.advance(count, note=task.label, seconds_left=seconds_left)

    def _do(self, task: StudyTask) -> None:
        began, error = time.monotonic(), ""
        problem = catch_any(lambda: task.run(SILENT))  # one library's fault must not end the whole study
        if isinstance(problem, Locked | SystemExit):
            raise problem
        if problem:
            error = one_line(problem) if isinstance(problem, SeaError) else describe(problem)
            self.failed[f"{task.label}-{task.digest[:8]}"] = error
            self.failed_folders.add(task.folder)
        record = TaskRecord(
            task=task.digest,
            kind=task.KIND,
            folder=task.folder.relative_to(self.folder.folder).as_posix(),
            model=task.model,
            setting=setting_digest(task) if isinstance(task, AnswerTask) else "",
            part=task.part if isinstance(task, AnswerTask) else "",
            status="failed" if error else "done",
            seconds=time.monotonic() - began,
            error=error,
            at=current_time(),
            sea=__version__,
            commit=find_commit(),
        )
        self.folder.tasks.append([record])


def _content(study: Study, plan: Plan, command: str) -> StudyContent:
    return StudyContent(
        file=study.file_name,
        sea=__version__,
        commit=find_commit(),
        command=command,
        settings=settings_of(study),
        answers=[_entry(answer) for answer in plan.answers],
    )


def _entry(answer: AnswerTask) -> AnswerEntry:
    root, alignment = answer.study.folder, answer.alignment
    return AnswerEntry(
        model=answer.model,
        arm=answer.arm.name,
        role=answer.arm.role,
        summary=answer.arm.summary,
        method=alignment.method if alignment else "",
        seed=answer.seed,
        part=answer.part,
        setting=setting_digest(answer),
        answers=answer.folder.relative_to(root).as_posix(),
        alignment=alignment.folder.relative_to(root).as_posix() if alignment else "",
        embeddings=[task.folder.relative_to(root).as_posix() for task in embeddings_of(answer)],
    )


@cache
def find_commit() -> str:
    """Return the commit of the repository that SEA runs from; empty where it is installed from a package."""
    root = Path(__file__).resolve().parents[4]
    if not (root / ".git").exists():
        return ""
    found = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip()
