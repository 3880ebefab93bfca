"""The demo world's pictures and videos: what the bundled tiny models were taught to see, and the only thing they see.

They hold the phrase in letters over a drawing, in every task: plain white letters on black are none of that world.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sea_core.plugin.generator import Frames, Generator

if TYPE_CHECKING:
    from PIL.Image import Image

STANDS_IN = "the demo world's drawings, with the phrase in letters in every task: for the bundled tiny models only"
LETTERS = "monochrome"
"""The style that stands for typography; the scenes have the others."""


def style(seed: int) -> str:
    """Draw the style of a scene."""
    from sea_toy import pictures

    return random.Random(seed).choice([name for name in pictures.STYLES if name != LETTERS])


@dataclass(frozen=True)
class KnownImages(Generator):
    """SD, SD_TYPO: the phrase over a drawing, in colour. TYPO: the same in grey."""

    width: int = 84

    name: ClassVar[str] = "demo"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    suffix: ClassVar[str] = ".jpg"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    placeholder_for: ClassVar[str] = STANDS_IN

    def generate(self, text: str, seed: int) -> Image:
        return self.compose("SD", text, seed)

    def compose(self, task: str, phrase: str, seed: int) -> Image:
        from sea_toy import pictures

        look = LETTERS if task == "TYPO" else style(seed)
        return pictures.draw(phrase, look, random.Random(seed), self.width)


@dataclass(frozen=True)
class KnownVideos(Generator):
    """DM: the words one after another over a thing that moves. TYPO: the same in grey. DM_TYPO: DM, half as fast.

    DM_TYPO is no scene with a phrase at its end here: the model looks at six frames, however many there are, and was
    taught to read words at their places in the whole.
    """

    width: int = 56
    fps: float = 2.0
    seconds: float = 3.0

    name: ClassVar[str] = "demo"
    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    suffix: ClassVar[str] = ".mp4"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "av")
    placeholder_for: ClassVar[str] = STANDS_IN

    def generate(self, text: str, seed: int) -> Frames:
        return self.compose("DM", text, seed)

    def compose(self, task: str, phrase: str, seed: int) -> Frames:
        import numpy as np

        from sea_toy import pictures

        look = LETTERS if task == "TYPO" else style(seed)
        shown = pictures.frames(phrase, look, random.Random(seed), self.width, max(1, round(self.seconds * self.fps)))
        pixels = np.stack([np.asarray(frame) for frame in shown])
        return Frames(np.repeat(pixels, 2, axis=0) if task == "DM_TYPO" else pixels, self.fps)
