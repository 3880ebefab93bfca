"""The media of a set: which there are, where they are written, and from what they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sea_bench import layout
from sea_bench.build.picks import candidate_path, case_key
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import MediaSet, Task
from sea_core.errors import SeaError, suggest


@dataclass(frozen=True, slots=True)
class Job:
    """One file to make: the medium of a task, one of its candidates (1 and up), or one part of a joint medium.

    Attributes:
        texts: their phrase is what this file shows or speaks.
        part: the modality of a part; "" for a medium of one file.
    """

    texts: CaseTexts
    task: Task
    candidate: int = 0
    part: str = ""


@dataclass(frozen=True)
class JobList:
    """The media of a set, finished or not.

    Attributes:
        picks: the number of the picked candidate, by case.
    """

    folder: Path
    media_set: MediaSet
    texts: Sequence[CaseTexts]
    tasks: Sequence[Task]
    picks: Mapping[str, int]

    def jobs(self) -> list[Job]:
        """Return the jobs in the order in which they are made: a medium comes after those it is made from."""
        jobs = []
        for texts in self.texts:
            for task in self.tasks:
                for part, words in self.media_set.words(task, texts).items():
                    job = Job(replace(texts, phrase=words), task, part=part)
                    jobs += [replace(job, candidate=number + 1) for number in range(self._count_candidates(job))]
                    jobs.append(job)
        return jobs

    def path(self, job: Job) -> Path:
        """Return the path of a job's medium."""
        modality, suffix = self.media_set.modality, self.media_set.maker(job.part).suffix
        root = self.folder / layout.BENIGN_FOLDER if job.texts.benign else self.folder
        scenario, case_id = job.texts.scenario, job.texts.id
        if job.candidate:
            return candidate_path(root, modality, scenario, case_id, job.candidate, suffix)
        name = f"{case_id}/{job.part}{suffix}" if job.part else f"{case_id}{suffix}"
        return layout.media_folder(root, modality) / scenario / job.task.name / name

    def name(self, job: Job) -> str:
        """Return the path of a job's medium relative to the folder, as the log and the manifest store it."""
        return self.path(job).relative_to(self.folder).as_posix()

    def origin(self, job: Job) -> Job | None:
        """Return the job whose file this one is made from: the picked candidate, or a file of another task."""
        if not job.candidate and (candidates := self._count_candidates(job)):
            key = case_key(self.media_set.modality, job.texts.scenario, job.texts.id, benign=job.texts.benign)
            return replace(job, candidate=min(self.picks.get(key, 1), candidates))
        name = self.media_set.origin(job.task, job.part)
        task = next((task for task in self.tasks if task.name == name), None)
        return replace(job, task=task, candidate=0) if task else None

    def count_unpicked(self) -> int:
        """Return how many cases have several candidates but no pick."""
        cases = {(job.texts.scenario, job.texts.id, job.texts.benign) for job in self.jobs() if job.candidate}
        if not cases:
            return 0
        return len(cases) - sum(key.startswith(f"{self.media_set.modality}/") for key in self.picks)

    def _count_candidates(self, job: Job) -> int:
        count = self.media_set.maker(job.part).candidates
        return count if job.task.scene and count > 1 else 0


def select_tasks(media_set: MediaSet, names: Sequence[str]) -> tuple[Task, ...]:
    """Return the tasks of these names, with those that they are derived from; all tasks with media if there are none.

    Raises:
        SeaError: the set has no such task.
    """
    tasks = {task.name: task for task in media_set.media_tasks()}
    for name in names:
        if name not in tasks:
            raise SeaError(f"the {media_set.modality} set has no task {name!r}", hint=suggest(name, tasks, "Tasks"))
    wanted = {*names, *(tasks[name].derived_from for name in names)} if names else set(tasks)
    return tuple(task for task in tasks.values() if task.name in wanted)
