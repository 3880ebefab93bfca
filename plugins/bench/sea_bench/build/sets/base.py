"""The tasks of each modality, and how a task's medium is made (METHOD, section 5). A set's fields are its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Lt

from sea_bench.build import media_io
from sea_bench.build.question_text import CaseTexts, TextSource
from sea_core.config import Config
from sea_core.plugin.generator import Frames, Generator


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a set.

    Attributes:
        says: which text goes with the medium.
        of: the task that this one's medium is made from ("" where it is made from the texts alone).
        scene: whether a generator makes the medium from a scene's description; these have candidates.
    """

    name: str
    text_source: TextSource
    derived_from: str = ""
    scene: bool = False


TEXT_ONLY = Task("Text_only", "question")


@dataclass(frozen=True)
class MediaSet(Config, ABC):
    """A modality's tasks, and how their media are made, written and probed."""

    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Draws the scenes, the noise and whatever a generator draws."""
    candidates: Annotated[int, Ge(1), Le(20)] = 1
    """Media for each scene, of which a person picks one (`sea bench pick`)."""

    modality: ClassVar[str]
    noun: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]

    @property
    @abstractmethod
    def suffix(self) -> str:
        """The suffix of the media files."""

    @abstractmethod
    def make(self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None) -> Any:
        """Return a task's medium. `base` is the file of the task that it is made from."""

    @abstractmethod
    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        """Write a medium to `path`, whose name says nothing about the format."""

    def configure_generator(self, generator: Generator) -> Generator:
        """Give the generator the values of the set's fields that it has too."""
        own = {f.name for f in fields(self)}
        shared = {f.name: getattr(self, f.name) for f in fields(generator) if f.name in own}
        return replace(generator, **shared) if shared else generator

    def media_tasks(self) -> tuple[Task, ...]:
        """Return the tasks that have media."""
        return tuple(task for task in self.tasks if task != TEXT_ONLY)


DECODE_CHECKS: dict[str, Callable[[Path], None]] = {
    "image": media_io.check_image,
    "video": media_io.check_video,
    "audio": media_io.check_audio,
}
"""How a medium is looked into; others are only looked at."""


def decode_check(path: Path, modality: str) -> None:
    """Look into a medium. Raises DataError when it cannot be read."""
    DECODE_CHECKS.get(modality, media_io.check_not_empty)(path)


def hold_frame(frame: Any, seconds: float, rate: float) -> Frames:
    """Return one picture, held for so many seconds."""
    import numpy as np

    return Frames(np.repeat(np.asarray(frame)[None], max(1, round(seconds * rate)), axis=0), rate)
