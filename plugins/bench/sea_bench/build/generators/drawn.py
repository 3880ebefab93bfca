"""Scenes drawn with a few shapes: a placeholder for a diffusion model, and marked as one."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

from sea_bench.build.generators.icons import ICONS, Colour, Paint, paint
from sea_core.plugin.generator import Frames, Generator

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

PLACEHOLDER_FOR = "a diffusion model (simple drawings, so results say nothing about real scenes)"


@dataclass(frozen=True)
class _Scene:
    """What a description is drawn as: colours, an object that is moved, and the direction."""

    sky: Colour
    floor: Colour
    person: Colour
    object: str
    body: Colour
    direction: int

    @classmethod
    def from_description(cls, description: str, seed: int) -> _Scene:
        rng = random.Random(crc32(f"{seed}/{description}".encode()))
        known = [word for word in re.findall(r"[a-z]+", description.lower()) if word in ICONS]
        colours = [
            (rng.randrange(lo, hi), rng.randrange(lo, hi), rng.randrange(lo, hi))
            for lo, hi in ((130, 230), (40, 120), (0, 90), (90, 255))
        ]
        drawing = known[0] if known else rng.choice(sorted(ICONS))
        return cls(colours[0], colours[1], colours[2], drawing, colours[3], rng.choice((-1, 1)))

    def paint(self, width: int, height: int, time: float) -> Image:
        """Return the scene at a time from 0 to 1."""
        from PIL import Image, ImageDraw

        canvas = Image.new("RGB", (width, height), self.sky)
        pen = ImageDraw.Draw(canvas)
        pen.rectangle((0, round(0.7 * height), width, height), fill=self.floor)
        side = 0.42 * min(width, height)
        x = width * (0.5 + self.direction * (time - 0.5) * 0.5)
        _draw_person(pen, x - self.direction * side * 0.8, 0.92 * height, 0.62 * height, self.person, time)
        box = (x - side / 2, 0.46 * height - 0.03 * height * abs(time * 8 % 2 - 1), side)
        paint(pen, self.object, box, Paint(self.body, (20, 20, 20), self.sky, 4), lambda: 0.0)
        return canvas


def _draw_person(pen: ImageDraw, x: float, foot: float, height: float, colour: Colour, time: float) -> None:
    """Draw a walking person."""
    head, stride = height / 7, height / 6 * (abs(time * 10 % 2 - 1) + 0.2)
    hip, neck = foot - 0.45 * height, foot - height + 2 * head
    line = max(2, round(height / 16))
    pen.ellipse((x - head, neck - 2 * head, x + head, neck), fill=colour)
    pen.line((x, neck, x, hip), fill=colour, width=2 * line)
    for side in (-1, 1):
        pen.line((x, hip, x + side * stride, foot), fill=colour, width=line)
        pen.line((x, neck + head / 2, x + side * height / 5, hip - head / 2), fill=colour, width=line)


@dataclass(frozen=True)
class DrawnImages(Generator):
    """A drawing of a person with an object."""

    width: int = 512
    """Width in pixels; the set's is used."""
    height: int = 512
    """Height in pixels; the set's is used."""

    name: ClassVar[str] = "drawn"
    modality: ClassVar[str] = "image"
    noun: ClassVar[str] = "image"
    suffix: ClassVar[str] = ".jpg"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    placeholder_for: ClassVar[str] = PLACEHOLDER_FOR

    def generate(self, text: str, seed: int) -> Image:
        return _Scene.from_description(text, seed).paint(self.width, self.height, 0.5)


@dataclass(frozen=True)
class DrawnVideos(Generator):
    """A drawing of a person who walks with an object."""

    width: int = 640
    """Width in pixels; the set's is used."""
    height: int = 384
    """Height in pixels; the set's is used."""
    fps: float = 24.0
    """Frames per second; the set's is used."""
    seconds: float = 5.0
    """Length in seconds; the set's is used."""

    name: ClassVar[str] = "drawn"
    modality: ClassVar[str] = "video"
    noun: ClassVar[str] = "video"
    suffix: ClassVar[str] = ".mp4"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "av")
    placeholder_for: ClassVar[str] = PLACEHOLDER_FOR

    def generate(self, text: str, seed: int) -> Frames:
        import numpy as np

        scene, count = _Scene.from_description(text, seed), max(1, round(self.seconds * self.fps))
        pictures = [scene.paint(self.width, self.height, (i + 0.5) / count) for i in range(count)]
        return Frames(np.stack([np.asarray(picture) for picture in pictures]), self.fps)
