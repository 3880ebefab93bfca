"""Phrases as pictures: on a plain background, or as a caption below a picture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
MAX_LINE_HEIGHT, MAX_LINE_WIDTH = 0.2, 0.9
"""Largest height of a line and width of the longest one, as fractions of the canvas."""
LINE_SPACING = 1.2


def render_text(text: str, size: tuple[int, int], colour: Colour = WHITE, background: Colour = BLACK) -> Image:
    """Return the text in the middle of a canvas (width, height), broken into lines, in the largest size that fits."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", size, background)
    font_size, lines = _fit(text, size)
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        y = size[1] / 2 + (i - (len(lines) - 1) / 2) * font_size * LINE_SPACING
        draw.text((size[0] / 2, y), line, fill=colour, font=_font(font_size), anchor="mm")
    return canvas


def add_caption(picture: Image, text: str) -> Image:
    """Return the picture with the text in a white strip below it, as in MM-SafetyBench's SD_TYPO."""
    from PIL import Image

    strip = render_text(text, (picture.width, max(16, picture.height // 4)), BLACK, WHITE)
    canvas = Image.new("RGB", (picture.width, picture.height + strip.height), WHITE)
    canvas.paste(picture, (0, 0))
    canvas.paste(strip, (0, picture.height))
    return canvas


def _fit(text: str, size: tuple[int, int]) -> tuple[int, list[str]]:
    """Return the largest font size, in pixels, at which the text fits, and its lines at that size."""
    font_size = max(6, int(max(MAX_LINE_HEIGHT * size[1], min(48, 0.6 * size[1]))))
    while font_size > 6:
        lines = _break_lines(text.split(), MAX_LINE_WIDTH * size[0], font_size)
        widest = max((_font(font_size).getlength(line) for line in lines), default=0)
        if widest <= MAX_LINE_WIDTH * size[0] and len(lines) * font_size * LINE_SPACING <= 0.95 * size[1]:
            return font_size, lines
        font_size = int(font_size * 0.9)
    return font_size, _break_lines(text.split(), MAX_LINE_WIDTH * size[0], font_size)


def _break_lines(words: list[str], width: float, font_size: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and _font(font_size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
