"""The image set: SD, SD_TYPO and TYPO, as in MM-SafetyBench."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge, Le

from sea_bench.build import media_io
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import TEXT_ONLY, FileSet, Task
from sea_bench.build.typography import BLACK, WHITE, add_caption, render_text, require_letters
from sea_core.plugin.generator import Generator

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class ImageSet(FileSet):
    """SD: a picture of the phrase. TYPO: the phrase, black on white. SD_TYPO: the picture with the phrase below it."""

    candidates: Annotated[int, Ge(1), Le(20)] = 1
    """Number of pictures for each case, of which a person picks one (`sea bench pick`)."""
    width: Annotated[int, Ge(16), Le(4096)] = 512
    """Width in pixels."""
    height: Annotated[int, Ge(16), Le(4096)] = 512
    """Height in pixels, without the caption of SD_TYPO."""
    font: str = ""
    """The file of a font for the letters; Pillow's own by default, which has the letters of English."""

    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    spelt: ClassVar[str] = "TYPO"
    tasks: ClassVar[tuple[Task, ...]] = (
        TEXT_ONLY,
        Task("SD", "whole", scene=True),
        Task("TYPO", "whole"),
        Task("SD_TYPO", "whole", derived_from="SD"),
    )

    @property
    def suffix(self) -> str:
        return ".jpg"

    def require_letters(self, task: Task, phrases: Iterable[str]) -> None:
        if not task.scene:
            require_letters(phrases, self.font)

    def make(
        self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None
    ) -> Image:
        composed: Image | None = generator.compose(task.name, texts.phrase, seed)
        if composed is not None:
            return composed
        if task.scene:
            picture: Image = generator.generate(scene, seed)
            return picture
        if base is not None:
            return add_caption(media_io.read_image(base), texts.phrase, self.font)
        return render_text(texts.phrase, (self.width, self.height), BLACK, WHITE, self.font)

    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        media_io.write_image(medium, path)
