"""The tasks of a set, and how the medium of a task is made. The fields of a set are its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Lt

from sea_bench.build.question_text import CaseTexts, TextSource
from sea_core.config import Config
from sea_core.plugin.generator import Frames, Generator
from sea_core.runs.digests import file_digest


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
    """The tasks of a set, their texts, and of which files a medium consists."""

    modality: ClassVar[str]
    noun: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]

    def identity(self) -> dict[str, Any]:
        """Return the settings, with a font as the digest of its file, and without one as before there were fonts."""
        settings: dict[str, Any] = _identify_fonts(asdict(self))
        return settings

    @abstractmethod
    def maker(self, part: str) -> FileSet:
        """Return the set that makes the files of a part. A medium of one file has the part ""."""

    @abstractmethod
    def words(self, task: Task, texts: CaseTexts) -> Mapping[str, str]:
        """Return what each part of a medium shows or speaks; empty if the case has no such task."""

    @abstractmethod
    def text(self, task: Task, texts: CaseTexts) -> str | None:
        """Return the text that accompanies a medium of the task."""

    @abstractmethod
    def origin(self, task: Task, part: str) -> str:
        """Return the name of the task whose file a part is made from; "" if it is made from the texts alone."""

    @abstractmethod
    def configure_generator(self, generator: Generator) -> Generator:
        """Return the generator with the set's values of the fields that both have."""

    def media_tasks(self) -> tuple[Task, ...]:
        """Return the tasks that have media."""
        return tuple(task for task in self.tasks if task != TEXT_ONLY)


@dataclass(frozen=True)
class FileSet(MediaSet):
    """A set of one modality, in which a medium is a file, and how that is made and written."""

    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Seed of the scenes, the noise and whatever a generator draws."""
    candidates: Annotated[int, Ge(1), Le(20)] = 1
    """Number of media for each scene, of which a person picks one (`sea bench pick`)."""

    spelt: ClassVar[str]
    """The task whose medium is the phrase and nothing else, in letters or spoken."""

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

    def require_letters(self, task: Task, phrases: Iterable[str]) -> None:
        """Raise SeaError if the phrases cannot be written in letters, where the task's medium shows them so."""
        return

    def spelt_task(self) -> Task:
        """Return the task whose medium is the phrase and nothing else."""
        return next(task for task in self.tasks if task.name == self.spelt)

    @abstractmethod
    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        """Write a medium to `path`, whose suffix may differ from the set's."""

    def maker(self, part: str) -> FileSet:
        return self

    def words(self, task: Task, texts: CaseTexts) -> Mapping[str, str]:
        return {"": texts.phrase}

    def text(self, task: Task, texts: CaseTexts) -> str | None:
        return texts.text_for(task.text_source, self.noun)

    def origin(self, task: Task, part: str) -> str:
        return task.derived_from

    def configure_generator(self, generator: Generator) -> Generator:
        own = {field.name for field in fields(self)}
        shared = {field.name: getattr(self, field.name) for field in fields(generator) if field.name in own}
        return replace(generator, **shared) if shared else generator


def hold_frame(frame: Any, seconds: float, rate: float) -> Frames:
    """Return a video that shows one picture for a number of seconds."""
    import numpy as np

    return Frames(np.repeat(np.asarray(frame)[None], max(1, round(seconds * rate)), axis=0), rate)


def _identify_fonts(settings: Any) -> Any:
    """Return settings with the digest of a font in place of its path, and without the setting where there is none."""
    if isinstance(settings, dict):
        kept = {name: value for name, value in settings.items() if (name, value) != ("font", "")}
        return {
            name: file_digest(Path(value)) if name == "font" else _identify_fonts(value) for name, value in kept.items()
        }
    return [_identify_fonts(each) for each in settings] if isinstance(settings, list | tuple) else settings
