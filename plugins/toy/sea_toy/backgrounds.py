"""Backgrounds of the toy world's pictures: one for each style."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sea_bench.build.generators.icons import Colour


@dataclass(frozen=True)
class Background:
    """What a background is drawn on and with.

    Attributes:
        canvas: a square picture in the first colour.
        colours: the style's two colours, varied a little.
        unit: a 64th of the side, in pixels.
    """

    canvas: Image.Image
    colours: tuple[Colour, Colour]
    rng: random.Random

    @property
    def side(self) -> int:
        return self.canvas.width

    @property
    def unit(self) -> float:
        return self.side / 64

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.canvas)


def draw_background(style: str, colours: tuple[Colour, Colour], rng: random.Random, side: int) -> Image.Image:
    """Return the background of a picture in a style, side x side pixels."""
    amount = 0 if style == "monochrome" else 10
    first, second = (vary(colour, rng, amount) for colour in colours)
    return PAINTERS[style](Background(Image.new("RGB", (side, side), first), (first, second), rng))


def vary(colour: Colour, rng: random.Random, amount: int) -> Colour:
    """Return the colour with each channel changed by at most `amount`."""
    red, green, blue = (min(255, max(0, channel + rng.randint(-amount, amount))) for channel in colour)
    return red, green, blue


def _blurred_horizon(b: Background) -> Image.Image:
    horizon = b.side * b.rng.uniform(0.6, 0.66)
    b.pen.rectangle((0, horizon, b.side, b.side), fill=b.colours[1])
    return b.canvas.filter(ImageFilter.GaussianBlur(3 * b.unit))


def _brush_strokes(b: Background) -> Image.Image:
    for _ in range(28):
        x, y, length = b.rng.uniform(-0.1, 1) * b.side, b.rng.uniform(0, 1) * b.side, b.rng.uniform(0.2, 0.5) * b.side
        colour = vary(b.rng.choice(b.colours), b.rng, 30)
        b.pen.line((x, y, x + length, y - 0.4 * length), fill=colour, width=round(b.rng.uniform(4, 9) * b.unit))
    return b.canvas


def _dots(b: Background) -> Image.Image:
    shift = b.rng.uniform(0, 9)
    for i in range(64):
        x, y = ((i % 8) * 9 + shift - 6) * b.unit, ((i // 8) * 9 + shift - 6) * b.unit
        b.pen.ellipse((x, y, x + 3 * b.unit, y + 3 * b.unit), fill=b.colours[1])
    return b.canvas


def _hatching(b: Background) -> Image.Image:
    for i in range(18):
        x = (i * 8 - 64 + b.rng.uniform(-2, 2)) * b.unit
        b.pen.line((x, b.side, x + b.side, 0), fill=b.colours[1], width=round(b.unit))
    return b.canvas


def _frame(b: Background) -> Image.Image:
    first, second = b.colours
    for inset, colour in ((0, second), (3, first), (4.5, second), (5.5, first)):
        edge = inset * b.unit
        b.pen.rectangle((edge, edge, b.side - edge, b.side - edge), fill=colour)
    return b.canvas


def _grey_gradient(b: Background) -> Image.Image:
    first, second = b.colours
    ramp = np.linspace(first[0], second[0], b.side)[:, None, None].repeat(b.side, 1).repeat(3, 2)
    return Image.fromarray(ramp.astype(np.uint8))


PAINTERS: dict[str, Callable[[Background], Image.Image]] = {
    "photographic": _blurred_horizon,
    "painted": _brush_strokes,
    "cartoon": _dots,
    "sketched": _hatching,
    "vintage": _frame,
    "monochrome": _grey_gradient,
}
