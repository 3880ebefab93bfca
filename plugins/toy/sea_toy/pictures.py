"""The demo world in pictures: a phrase in words with a drawing of its thing, in one of six styles, still or moving.

Only the look is decided here. What a style is called in an answer is the adapter's business; the names are the same.
"""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from sea_bench.build.generators.icons import ICONS, Colour, Paint, paint

FINE = 2
"""A picture is drawn this many times larger and then reduced, for smooth edges."""


@dataclass(frozen=True)
class Look:
    """How one style looks: two colours of the ground, the words and their edge, the drawing and its line."""

    ground: tuple[Colour, Colour]
    words: Colour
    edge: Colour | None
    body: Colour | None
    line: Colour
    grain: float = 4.0


LOOKS = {
    "photographic": Look(((20, 100, 230), (30, 150, 60)), (255, 255, 255), None, (235, 60, 40), (120, 20, 10)),
    "painted": Look(((235, 90, 20), (160, 20, 120)), (255, 240, 120), (70, 0, 60), (255, 180, 40), (70, 0, 60)),
    "cartoon": Look(((255, 225, 0), (0, 190, 235)), (255, 255, 255), (0, 0, 0), (0, 190, 235), (0, 0, 0), 2.0),
    "sketched": Look(
        ((95, 165, 150), (60, 115, 110)), (255, 255, 255), (15, 45, 45), (235, 245, 240), (15, 45, 45), 3.0
    ),
    "vintage": Look(((190, 135, 65), (95, 50, 15)), (255, 238, 195), (75, 35, 10), (235, 200, 130), (75, 35, 10), 6.0),
    "monochrome": Look(((60, 60, 60), (150, 150, 150)), (255, 255, 255), (0, 0, 0), (205, 205, 205), (0, 0, 0), 7.0),
}
STYLES = tuple(LOOKS)


def draw(phrase: str, style: str, rng: random.Random, size: int) -> Image.Image:
    """Return a picture, size x size, of the phrase in words with a drawing of its last word, if there is one."""
    canvas = _ground(style, rng, size)
    name = phrase.split()[-1]
    lines = _lines(phrase)
    high = 0.5 if name in ICONS else 0.96
    _write(canvas, lines, style, _jittered(rng), (0.03, high))
    if name in ICONS:
        _place(canvas, name, style, rng, (0.5, 0.755), 0.44)
    return _finish(canvas, style, rng, size)


def frames(phrase: str, style: str, rng: random.Random, size: int, count: int) -> list[Image.Image]:
    """Return `count` pictures, size x size: the words come one after another, and the thing crosses the picture.

    Each word is shown for an equal share of the frames, and drifts while it is shown.
    """
    words = phrase.split()
    name = words[-1]
    way, lift = rng.choice((-1, 1)), rng.uniform(-0.01, 0.01)
    ground = _ground(style, rng, size)
    shown = []
    for i in range(count):
        canvas = ground.copy()
        passed = (i + 0.5) / count
        word = words[min(int(passed * len(words)), len(words) - 1)]
        drift = (passed * len(words) % 1 - 0.5) * 0.06 * way
        x, y = _jittered(rng)
        _write(canvas, [word], style, (x + drift, y), (0.06, 0.5 if name in ICONS else 0.94))
        if name in ICONS:
            _place(canvas, name, style, rng, (0.5 + way * (passed - 0.5) * 0.5, 0.755 + lift), 0.42)
        shown.append(_finish(canvas, style, rng, size))
    return shown


def blank(size: int) -> Image.Image:
    """Return a black picture, size x size."""
    return Image.new("RGB", (size, size))


def _lines(phrase: str) -> list[str]:
    """Break a phrase into short lines, an article never at the end of one."""
    bound = phrase.replace(" a ", " a\u00a0")
    if bound.startswith("a "):
        bound = "a\u00a0" + bound[2:]
    return [line.replace("\u00a0", " ") for line in textwrap.wrap(bound, width=9, break_long_words=False)]


def _jittered(rng: random.Random) -> tuple[float, float]:
    """Return a small move of about a pixel in 64, as shares of the side."""
    return rng.uniform(-1, 1) / 64, rng.uniform(-1, 1) / 64


@cache
def _font(points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(points)


def _fitting(lines: list[str], width: float, height: float) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, int]:
    """Return the largest font, and its points, in which the lines fit."""
    points = max(6, int(height / len(lines) * 0.98))
    longest = max(_font(points).getlength(line) for line in lines)
    points = max(6, int(points * min(1.0, width / longest)))
    return _font(points), points


def _write(
    canvas: Image.Image, lines: list[str], style: str, move: tuple[float, float], rows: tuple[float, float]
) -> None:
    """Write the lines in the middle of the rows from rows[0] to rows[1], shares of the side."""
    side, look = canvas.width, LOOKS[style]
    top, bottom = (row * side for row in rows)
    font, points = _fitting(
        lines, 0.94 * side, min(bottom - top, (0.34 if len(lines) == 1 else 0.26 * len(lines)) * side)
    )
    pen = ImageDraw.Draw(canvas)
    stroke = 0 if look.edge is None else max(1, round(points / (9 if style == "cartoon" else 14)))
    for i, line in enumerate(lines):
        x = side * (0.5 + move[0])
        y = (top + bottom) / 2 + (i - (len(lines) - 1) / 2) * points * 1.02 + side * move[1]
        if style == "photographic":  # a hard shadow, as a sign in the sun throws it
            pen.text((x + points / 12, y + points / 12), line, fill=(0, 0, 40), font=font, anchor="mm")
        pen.text((x, y), line, fill=look.words, font=font, anchor="mm", stroke_width=stroke, stroke_fill=look.edge)


def _place(
    canvas: Image.Image, name: str, style: str, rng: random.Random, middle: tuple[float, float], share: float
) -> None:
    """Draw the thing around `middle`; `share` is its side as a share of the picture's."""
    side, look = canvas.width, LOOKS[style]
    board = share * side * rng.uniform(0.95, 1.05)
    move = _jittered(rng)
    box = ((middle[0] + move[0]) * side - board / 2, (middle[1] + move[1]) * side - board / 2, board)
    with_ = Paint(look.body, look.line, look.ground[0], 8 if style == "cartoon" else 4)
    loose = {"sketched": 2.5, "painted": 2.0}.get(style, 0.0)
    pen = ImageDraw.Draw(canvas)
    for _ in range(2 if style == "sketched" else 1):
        paint(pen, name, box, with_, lambda: rng.uniform(-loose, loose))


def _ground(style: str, rng: random.Random, size: int) -> Image.Image:
    """Return the ground of a picture in this style, FINE times too large."""
    side = size * FINE
    look = LOOKS[style]
    one, two = (_tinted(colour, rng, 0 if style == "monochrome" else 10) for colour in look.ground)
    canvas = Image.new("RGB", (side, side), one)
    pen = ImageDraw.Draw(canvas)
    unit = side / 64
    if style == "photographic":
        horizon = side * rng.uniform(0.6, 0.66)
        pen.rectangle((0, horizon, side, side), fill=two)
        canvas = canvas.filter(ImageFilter.GaussianBlur(3 * unit))
    elif style == "painted":
        for _ in range(28):
            x, y, long = rng.uniform(-0.1, 1) * side, rng.uniform(0, 1) * side, rng.uniform(0.2, 0.5) * side
            colour = _tinted(rng.choice((one, two)), rng, 30)
            pen.line((x, y, x + long, y - 0.4 * long), fill=colour, width=round(rng.uniform(4, 9) * unit))
    elif style == "cartoon":
        shift = rng.uniform(0, 9)
        for i in range(64):
            x, y = ((i % 8) * 9 + shift - 6) * unit, ((i // 8) * 9 + shift - 6) * unit
            pen.ellipse((x, y, x + 3 * unit, y + 3 * unit), fill=two)
    elif style == "sketched":
        for i in range(18):
            x = (i * 8 - 64 + rng.uniform(-2, 2)) * unit
            pen.line((x, side, x + side, 0), fill=two, width=round(unit))
    elif style == "vintage":
        for ring, colour in ((0, two), (3, one), (4.5, two), (5.5, one)):
            pen.rectangle((ring * unit, ring * unit, side - ring * unit, side - ring * unit), fill=colour)
    else:
        ramp = np.linspace(one[0], two[0], side)[:, None, None].repeat(side, 1).repeat(3, 2)
        canvas = Image.fromarray(ramp.astype(np.uint8))
    return canvas


def _tinted(colour: Colour, rng: random.Random, by: int) -> Colour:
    red, green, blue = (min(255, max(0, c + rng.randint(-by, by))) for c in colour)
    return red, green, blue


def _finish(canvas: Image.Image, style: str, rng: random.Random, size: int) -> Image.Image:
    """Reduce to size x size, and add the style's grain."""
    pixels = np.asarray(canvas.reduce(FINE), dtype=np.float32)
    noise = np.random.default_rng(rng.getrandbits(32))
    shape = (size, size, 1) if style == "monochrome" else pixels.shape
    grainy = pixels + noise.standard_normal(shape, np.float32) * LOOKS[style].grain
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))
