"""Pictures and videos of the toy world for benchmarks: the only media that the bundled tiny models can read.

They show the phrase in letters over a drawing in every task: the toy world has no plain white letters on black.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sea_core.plugin.generator import Frames, Generator

if TYPE_CHECKING:
    from PIL.Image import Image

PLACEHOLDER_FOR = "a diffusion model (drawings with the phrase in letters, for the bundled tiny models only)"
TYPOGRAPHY_STYLE = "monochrome"
"""The style of typography tasks; scenes have the other styles."""


def draw_style(seed: int) -> str:
    """Draw the style of a scene, by seed."""
    from sea_toy import pictures

    return random.Random(seed).choice([name for name in pictures.STYLES if name != TYPOGRAPHY_STYLE])


@dataclass(frozen=True)
class ToyImages(Generator):
    """Tasks SD and SD_TYPO: the phrase over a drawing, in colour. TYPO: the same in grey."""

    width: int = 84

    name: ClassVar[str] = "demo"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    suffix: ClassVar[str] = ".jpg"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    placeholder_for: ClassVar[str] = PLACEHOLDER_FOR

    def generate(self, text: str, seed: int) -> Image:
        return self.compose("SD", text, seed)

    def compose(self, task: str, phrase: str, seed: int) -> Image:
        from sea_toy import pictures

        style = TYPOGRAPHY_STYLE if task == "TYPO" else draw_style(seed)
        return pictures.draw(phrase, style, random.Random(seed), self.width)


@dataclass(frozen=True)
class ToyVideos(Generator):
    """Task DM: the words one after another over a moving object. TYPO: the same in grey. DM_TYPO: DM, half as fast.

    DM_TYPO does not end with the phrase as in the benchmark: the model samples six frames of any video, and was trained
    to read each word at its place in the whole video.
    """

    width: int = 56
    fps: float = 2.0
    seconds: float = 3.0

    name: ClassVar[str] = "demo"
    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    suffix: ClassVar[str] = ".mp4"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "av")
    placeholder_for: ClassVar[str] = PLACEHOLDER_FOR

    def generate(self, text: str, seed: int) -> Frames:
        return self.compose("DM", text, seed)

    def compose(self, task: str, phrase: str, seed: int) -> Frames:
        import numpy as np

        from sea_toy import pictures

        style = TYPOGRAPHY_STYLE if task == "TYPO" else draw_style(seed)
        count = max(1, round(self.seconds * self.fps))
        frames = pictures.frames(phrase, style, random.Random(seed), self.width, count)
        pixels = np.stack([np.asarray(frame) for frame in frames])
        return Frames(np.repeat(pixels, 2, axis=0) if task == "DM_TYPO" else pixels, self.fps)
