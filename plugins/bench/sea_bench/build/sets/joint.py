"""The set of two modalities in one prompt: the phrase in one of them, in both, or split over the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sea_bench.build.generators.joint import generator_parts, join_generators
from sea_bench.build.question_text import CaseTexts, split_phrase
from sea_bench.build.sets.base import TEXT_ONLY, FileSet, MediaSet, Task
from sea_core.plugin.generator import Generator

BOTH, SPLIT = Task("BOTH", "whole"), Task("SPLIT", "whole")


@dataclass(frozen=True)
class JointSet(MediaSet):
    """IMAGE and AUDIO: the phrase in one medium, without the other. BOTH: the phrase in both. SPLIT: one half in each.

    A medium is a folder with a file for each modality that it shows.
    """

    parts: tuple[FileSet, ...]
    """The sets of the modalities."""

    alone: ClassVar[Mapping[str, str]]
    """The task that shows a modality alone, by modality."""

    def maker(self, part: str) -> FileSet:
        return next(each for each in self.parts if each.modality == part)

    def words(self, task: Task, texts: CaseTexts) -> Mapping[str, str]:
        if task == SPLIT:
            halves = split_phrase(texts.phrase, texts.kind)
            return dict(zip(self.alone, halves, strict=True)) if halves else {}
        return {part: texts.phrase for part, name in self.alone.items() if task.name in (name, BOTH.name)}

    def text(self, task: Task, texts: CaseTexts) -> str | None:
        alone = [part.noun for part in self.parts if task.name == self.alone[part.modality]]
        return texts.text_for(task.text_source, alone[0] if alone else self.noun)

    def origin(self, task: Task, part: str) -> str:
        """In BOTH, the files are those of the tasks with one modality: what differs is only what is beside them."""
        return self.alone[part] if task == BOTH else ""

    def configure_generator(self, generator: Generator) -> Generator:
        made_by = generator_parts(generator)
        return join_generators([self.maker(part.modality).configure_generator(part) for part in made_by])


def join_sets(parts: Sequence[FileSet]) -> JointSet:
    """Return the set whose media join those of two sets."""
    alone = {part.modality: part.modality.upper() for part in parts}
    attributes = {
        "modality": "+".join(part.modality for part in parts),
        "noun": " and ".join(part.noun for part in parts),
        "tasks": (TEXT_ONLY, *(Task(name, "whole") for name in alone.values()), BOTH, SPLIT),
        "alone": alone,
    }
    joint: type[JointSet] = type("JointSetOfParts", (JointSet,), attributes)
    return joint(tuple(parts))
