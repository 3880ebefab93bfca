"""The plan of a study: every answer that its tables need, and every task that leads to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.study.held_out import require_held_out
from sea_bench.study.study import PARTS, Part, Study
from sea_bench.study.tasks import AlignTask, AnswerTask, OptimizeTask, StudyTask
from sea_core.errors import SeaError


@dataclass(frozen=True)
class Plan:
    """The answers of a study, and all tasks, each once and after those that it needs."""

    answers: tuple[AnswerTask, ...]
    tasks: tuple[StudyTask, ...]


def plan_study(study: Study, parts: Sequence[Part]) -> Plan:
    """Return the plan.

    Args:
        parts: the benchmarks that are answered.

    Raises:
        SeaError: a file, folder, plugin or model of the study is not there.
    """
    _require_files(study, parts)
    require_held_out(study)
    answers = [answer for part in PARTS if part in parts for answer in _answers(study, part)]
    for answer in answers:
        answer.require_shared_defence()
    answers.sort(key=lambda answer: list(study.file.models).index(answer.model))
    tasks: dict[Path, StudyTask] = {}
    for answer in sorted(answers, key=lambda answer: _priority(study, answer)):
        for task in _with_inputs(answer):
            tasks.setdefault(task.folder, task)
    return Plan(tuple(answers), tuple(tasks.values()))


def _priority(study: Study, answer: AnswerTask) -> tuple[int, int]:
    """Return when an answer is made: part by part, arm by arm, so that a study that is stopped has whole arms."""
    return PARTS.index(answer.part), study.arms.index(answer.arm)


def _answers(study: Study, part: Part) -> Iterator[AnswerTask]:
    """Yield the answers of a part. A model that is not aligned has no seeds: it answers each benchmark once."""
    file = study.file
    for model in file.models:
        for seed in file.seeds:
            for arm in study.arms:
                if arm.is_aligned:
                    for method in study.methods_of(arm):
                        yield AnswerTask(study, model, arm, part, seed, AlignTask(study, model, arm, method, seed))
                elif study.has_splits or seed == file.seeds[0]:
                    yield AnswerTask(study, model, arm, part, seed)


def _with_inputs(task: StudyTask) -> Iterator[StudyTask]:
    for each in task.inputs:
        yield from _with_inputs(each)
    yield task


def embeddings_of(answer: AnswerTask) -> list[OptimizeTask]:
    """Return the runs of synthetic embeddings that the model of an answer was aligned on."""
    return [task for task in _with_inputs(answer) if isinstance(task, OptimizeTask)]


def _require_files(study: Study, parts: Sequence[Part]) -> None:
    needed = {study.data(seed) for seed in study.file.seeds}
    for name, model in study.file.models.items():
        for part in parts:
            if not model.benchmark(part):
                hint = f"Write below the model {name}: {part}: FOLDER"
                raise SeaError(f"the model {name} has no benchmark for {part}", hint=hint)
        names = [model.benchmark(part) for part in parts] + [model.benign_media]
        names += [model.media[medium] for arm in study.arms for medium in arm.media]
        needed |= {study.path(each, seed) for seed in study.file.seeds for each in names if each}
    for path in sorted(needed):
        if not path.exists():
            hint = "Paths in a study file are relative to the file. Data of the toy world: sea toy study"
            raise SeaError("the study file names something that is not there", hint=hint, where=str(path))
