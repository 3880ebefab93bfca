"""Pictures and videos of the toy world: a phrase in letters with a drawing of its object, in one of six styles.

This module decides only what a style looks like. The adapters name the styles in answers, by the same names.
"""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sea_bench.build.generators.icons import ICONS, Colour, Paint, paint
from sea_toy.backgrounds import draw_background

SUPERSAMPLING = 2
"""A picture is drawn this many times larger and then reduced, for smooth edges."""


@dataclass(frozen=True)
class StyleColours:
    """The colours of a style: of the background (two), the text and its outline, the drawing and its line.

    `grain` is the standard deviation of the noise, in grey levels.
    """

    background: tuple[Colour, Colour]
    text: Colour
    outline: Colour | None
    fill: Colour | None
    line: Colour
    grain: float = 4.0


STYLE_COLOURS = {
    "photographic": StyleColours(((20, 100, 230), (30, 150, 60)), (255, 255, 255), None, (235, 60, 40), (120, 20, 10)),
    "painted": StyleColours(((235, 90, 20), (160, 20, 120)), (255, 240, 120), (70, 0, 60), (255, 180, 40), (70, 0, 60)),
    "cartoon": StyleColours(((255, 225, 0), (0, 190, 235)), (255, 255, 255), (0, 0, 0), (0, 190, 235), (0, 0, 0), 2.0),
    "sketched": StyleColours(
        ((95, 165, 150), (60, 115, 110)), (255, 255, 255), (15, 45, 45), (235, 245, 240), (15, 45, 45), 3.0
    ),
    "vintage": StyleColours(
        ((190, 135, 65), (95, 50, 15)), (255, 238, 195), (75, 35, 10), (235, 200, 130), (75, 35, 10), 6.0
    ),
    "monochrome": StyleColours(
        ((60, 60, 60), (150, 150, 150)), (255, 255, 255), (0, 0, 0), (205, 205, 205), (0, 0, 0), 7.0
    ),
}
STYLES = tuple(STYLE_COLOURS)


def draw(phrase: str, style: str, rng: random.Random, size: int) -> Image.Image:
    """Return a picture, size x size, of the phrase in letters with a drawing of its last word, if there is one."""
    canvas = _background(style, rng, size)
    name = phrase.split()[-1]
    bottom = 0.5 if name in ICONS else 0.96
    _write_text(canvas, _break_lines(phrase), style, _draw_jitter(rng), (0.03, bottom))
    if name in ICONS:
        _draw_icon(canvas, name, style, rng, (0.5, 0.755), 0.44)
    return _finish(canvas, style, rng, size)


def frames(phrase: str, style: str, rng: random.Random, size: int, count: int) -> list[Image.Image]:
    """Return `count` frames, size x size: one word after another, while the object crosses the picture.

    Each word is shown for the same number of frames, and drifts meanwhile.
    """
    words = phrase.split()
    name = words[-1]
    direction, lift = rng.choice((-1, 1)), rng.uniform(-0.01, 0.01)
    background = _background(style, rng, size)
    frames = []
    for i in range(count):
        canvas = background.copy()
        progress = (i + 0.5) / count
        word = words[min(int(progress * len(words)), len(words) - 1)]
        drift = (progress * len(words) % 1 - 0.5) * 0.06 * direction
        x, y = _draw_jitter(rng)
        _write_text(canvas, [word], style, (x + drift, y), (0.06, 0.5 if name in ICONS else 0.94))
        if name in ICONS:
            _draw_icon(canvas, name, style, rng, (0.5 + direction * (progress - 0.5) * 0.5, 0.755 + lift), 0.42)
        frames.append(_finish(canvas, style, rng, size))
    return frames


def blank(size: int) -> Image.Image:
    """Return a black picture, size x size."""
    return Image.new("RGB", (size, size))


def _break_lines(phrase: str) -> list[str]:
    """Break a phrase into short lines, none of which ends with an article."""
    bound = phrase.replace(" a ", " a\u00a0")
    if bound.startswith("a "):
        bound = "a\u00a0" + bound[2:]
    return [line.replace("\u00a0", " ") for line in textwrap.wrap(bound, width=9, break_long_words=False)]


def _draw_jitter(rng: random.Random) -> tuple[float, float]:
    """Draw a small offset of up to one pixel in 64, as fractions of the side."""
    return rng.uniform(-1, 1) / 64, rng.uniform(-1, 1) / 64


@cache
def _font(points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(points)


def _fit_font(
    lines: list[str], width: float, height: float
) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, int]:
    """Return the largest font, and its size in points, in which the lines fit."""
    points = max(6, int(height / len(lines) * 0.98))
    longest = max(_font(points).getlength(line) for line in lines)
    points = max(6, int(points * min(1.0, width / longest)))
    return _font(points), points


def _write_text(
    canvas: Image.Image, lines: list[str], style: str, offset: tuple[float, float], band: tuple[float, float]
) -> None:
    """Write the lines centred in a horizontal band from band[0] to band[1], fractions of the side."""
    side, colours = canvas.width, STYLE_COLOURS[style]
    top, bottom = (fraction * side for fraction in band)
    max_height = (0.34 if len(lines) == 1 else 0.26 * len(lines)) * side
    font, points = _fit_font(lines, 0.94 * side, min(bottom - top, max_height))
    pen = ImageDraw.Draw(canvas)
    stroke = 0 if colours.outline is None else max(1, round(points / (9 if style == "cartoon" else 14)))
    for i, line in enumerate(lines):
        x = side * (0.5 + offset[0])
        y = (top + bottom) / 2 + (i - (len(lines) - 1) / 2) * points * 1.02 + side * offset[1]
        if style == "photographic":  # a hard shadow, as of a sign in the sun
            pen.text((x + points / 12, y + points / 12), line, fill=(0, 0, 40), font=font, anchor="mm")
        pen.text(
            (x, y), line, fill=colours.text, font=font, anchor="mm", stroke_width=stroke, stroke_fill=colours.outline
        )


def _draw_icon(
    canvas: Image.Image, name: str, style: str, rng: random.Random, centre: tuple[float, float], size: float
) -> None:
    """Draw the object around `centre`; `size` is its side as a fraction of the picture's."""
    side, colours = canvas.width, STYLE_COLOURS[style]
    width = size * side * rng.uniform(0.95, 1.05)
    x, y = _draw_jitter(rng)
    box = ((centre[0] + x) * side - width / 2, (centre[1] + y) * side - width / 2, width)
    brush = Paint(colours.fill, colours.line, colours.background[0], 8 if style == "cartoon" else 4)
    shakiness = {"sketched": 2.5, "painted": 2.0}.get(style, 0.0)
    pen = ImageDraw.Draw(canvas)
    for _ in range(2 if style == "sketched" else 1):
        paint(pen, name, box, brush, lambda: rng.uniform(-shakiness, shakiness))


def _background(style: str, rng: random.Random, size: int) -> Image.Image:
    return draw_background(style, STYLE_COLOURS[style].background, rng, size * SUPERSAMPLING)


def _finish(canvas: Image.Image, style: str, rng: random.Random, size: int) -> Image.Image:
    """Reduce to size x size, and add the style's noise."""
    pixels = np.asarray(canvas.reduce(SUPERSAMPLING), dtype=np.float32)
    noise = np.random.default_rng(rng.getrandbits(32))
    shape = (size, size, 1) if style == "monochrome" else pixels.shape
    grainy = pixels + noise.standard_normal(shape, np.float32) * STYLE_COLOURS[style].grain
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))
