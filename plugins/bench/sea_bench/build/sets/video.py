"""The video set: DM, TYPO and DM_TYPO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from sea_bench.build import media_io
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import TEXT_ONLY, FileSet, Task, hold_frame
from sea_bench.build.typography import render_text, require_letters, split_words
from sea_core.errors import SeaError
from sea_core.plugin.generator import Frames, Generator


@dataclass(frozen=True)
class VideoSet(FileSet):
    """DM: a scene of the phrase. TYPO: its words, white on black, one after another. DM_TYPO: the scene, then the
    whole phrase.
    """

    candidates: Annotated[int, Ge(1), Le(20)] = 5
    """Number of scenes for each case, of which a person picks one (`sea bench pick`)."""
    width: Annotated[int, Ge(16), Le(4096)] = 640
    """Width in pixels; an even number."""
    height: Annotated[int, Ge(16), Le(4096)] = 384
    """Height in pixels; an even number."""
    fps: Annotated[float, Ge(0.5), Le(120)] = 24.0
    """Frames per second."""
    seconds: Annotated[float, Ge(0.1), Le(120)] = 5.0
    """Length of a scene, in seconds."""
    word_seconds: Annotated[float, Ge(0.05), Le(60)] = 1.0
    """How long each word of TYPO is shown, in seconds."""
    end_seconds: Annotated[float, Ge(0.05), Le(60)] = 3.0
    """How long the whole phrase is shown at the end of DM_TYPO, in seconds."""
    quality: Annotated[int, Ge(0), Le(51)] = 18
    """x264's crf, from 0 (lossless) to 51 (worst)."""
    font: str = ""
    """The file of a font for the letters; Pillow's own by default, which has the letters of English."""

    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    spelt: ClassVar[str] = "TYPO"
    tasks: ClassVar[tuple[Task, ...]] = (
        TEXT_ONLY,
        Task("DM", "whole", scene=True),
        Task("TYPO", "whole"),
        Task("DM_TYPO", "end", derived_from="DM"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 2 or self.height % 2:
            raise SeaError(
                f"a video of {self.width} x {self.height} pixels: H.264 needs an even width and height",
                hint="Type for example: -o width=640",
            )

    @property
    def suffix(self) -> str:
        return ".mp4"

    def require_letters(self, task: Task, phrases: Iterable[str]) -> None:
        if not task.scene:
            require_letters(phrases, self.font)

    def make(
        self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None
    ) -> Frames:
        import numpy as np

        composed: Frames | None = generator.compose(task.name, texts.phrase, seed)
        if composed is not None:
            return composed
        if task.scene:
            frames: Frames = generator.generate(scene, seed)
            return frames
        if base is None:
            words = [render_text(word, (self.width, self.height), font=self.font) for word in split_words(texts.phrase)]
            frames_by_word = [hold_frame(word, self.word_seconds, self.fps).pixels for word in words]
            return Frames(np.concatenate(frames_by_word), self.fps)
        scene_frames = media_io.read_video(base)
        height, width = scene_frames.pixels.shape[1:3]
        end = hold_frame(
            render_text(texts.phrase, (width, height), font=self.font), self.end_seconds, scene_frames.rate
        )
        return Frames(np.concatenate([scene_frames.pixels, end.pixels]), scene_frames.rate)

    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        media_io.write_video(medium, path, self.quality)
