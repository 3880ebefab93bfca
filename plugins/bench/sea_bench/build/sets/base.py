"""The tasks of a modality, and how the medium of a task is made. The fields of a set are its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Lt

from sea_bench.build.question_text import CaseTexts, TextSource
from sea_core.config import Config
from sea_core.plugin.generator import Frames, Generator


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a set.

    Attributes:
        text_source: which text accompanies the medium.
        derived_from: the task whose medium this one's is made from; "" if it is made from the texts alone.
        scene: whether a generator makes the medium from the description of a scene; only these have candidates.
    """

    name: str
    text_source: TextSource
    derived_from: str = ""
    scene: bool = False


TEXT_ONLY = Task("Text_only", "question")


@dataclass(frozen=True)
class MediaSet(Config, ABC):
    """The tasks of a modality, and how their media are made and written."""

    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Seed of the scenes, the noise and whatever a generator draws."""
    candidates: Annotated[int, Ge(1), Le(20)] = 1
    """Number of media for each scene, of which a person picks one (`sea bench pick`)."""

    modality: ClassVar[str]
    noun: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]

    @property
    @abstractmethod
    def suffix(self) -> str:
        """The suffix of the media files."""

    @abstractmethod
    def make(self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None) -> Any:
        """Return the medium of a task.

        Args:
            scene: the description of the scene; "" for a task without one.
            base: the file of the medium that it is derived from.
        """

    @abstractmethod
    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        """Write a medium to `path`, whose suffix may differ from the set's."""

    def configure_generator(self, generator: Generator) -> Generator:
        """Return the generator with the set's values of the fields that both have."""
        own = {field.name for field in fields(self)}
        shared = {field.name: getattr(self, field.name) for field in fields(generator) if field.name in own}
        return replace(generator, **shared) if shared else generator

    def media_tasks(self) -> tuple[Task, ...]:
        """Return the tasks that have media."""
        return tuple(task for task in self.tasks if task != TEXT_ONLY)


def hold_frame(frame: Any, seconds: float, rate: float) -> Frames:
    """Return a video that shows one picture for a number of seconds."""
    import numpy as np

    return Frames(np.repeat(np.asarray(frame)[None], max(1, round(seconds * rate)), axis=0), rate)
