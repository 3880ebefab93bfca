"""The set of a plugin's own modality: one task, whose medium the generator makes from the key phrase."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import TEXT_ONLY, FileSet, Task
from sea_core.plugin.generator import Generator


@dataclass(frozen=True)
class CustomSet(FileSet):
    """KP: the key phrase, as rendered by the plugin's generator."""

    tasks: ClassVar[tuple[Task, ...]] = (TEXT_ONLY, Task("KP", "whole"))
    spelt: ClassVar[str] = "KP"
    _suffix: ClassVar[str]

    @classmethod
    def for_generator(cls, generator: Generator) -> FileSet:
        """Return the set of the generator's modality."""
        attributes = {"modality": generator.modality, "noun": generator.noun, "_suffix": generator.suffix}
        subclass: type[FileSet] = type(f"{cls.__name__}Of{generator.modality.title()}", (cls,), attributes)
        return subclass()

    @property
    def suffix(self) -> str:
        return self._suffix

    def make(self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None) -> Any:
        composed = generator.compose(task.name, texts.phrase, seed)
        return generator.generate(texts.phrase, seed) if composed is None else composed

    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        generator.write(medium, path)
