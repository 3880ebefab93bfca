"""Phrases in letters: on a ground of their own, or below a picture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
MAX_LINE_HEIGHT, MAX_LINE_WIDTH = 0.2, 0.9
"""The height of a line at most, and the width of the longest at most, as shares of the canvas."""


def render_text(text: str, size: tuple[int, int], ink: Colour = WHITE, ground: Colour = BLACK) -> Image:
    """Return the text in the middle of a canvas (width, height), in lines, as large as it fits."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", size, ground)
    points, lines = _fitted(text, size)
    pen = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        y = size[1] / 2 + (i - (len(lines) - 1) / 2) * points * 1.2
        pen.text((size[0] / 2, y), line, fill=ink, font=_font(points), anchor="mm")
    return canvas


def add_caption(picture: Image, text: str) -> Image:
    """Return the picture with the text in a white strip below it, as MM-SafetyBench's SD_TYPO has it."""
    from PIL import Image

    strip = render_text(text, (picture.width, max(16, picture.height // 4)), BLACK, WHITE)
    canvas = Image.new("RGB", (picture.width, picture.height + strip.height), WHITE)
    canvas.paste(picture, (0, 0))
    canvas.paste(strip, (0, picture.height))
    return canvas


def _fitted(text: str, size: tuple[int, int]) -> tuple[int, list[str]]:
    """Return the largest size of type, in pixels, at which the words fit, and the lines they fall into."""
    points = max(6, int(max(MAX_LINE_HEIGHT * size[1], min(48, 0.6 * size[1]))))
    while points > 6:
        lines = _lines(text.split(), MAX_LINE_WIDTH * size[0], points)
        widest = max((_font(points).getlength(line) for line in lines), default=0)
        if widest <= MAX_LINE_WIDTH * size[0] and len(lines) * points * 1.2 <= 0.95 * size[1]:
            return points, lines
        points = int(points * 0.9)
    return points, _lines(text.split(), MAX_LINE_WIDTH * size[0], points)


def _lines(words: list[str], width: float, points: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and _font(points).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(points)
