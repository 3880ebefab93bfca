"""Phrases as pictures: on a plain background, or as a caption below a picture."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from sea_bench.build.generators.icons import Colour
from sea_core.errors import SeaError, number_of

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
MAX_LINE_HEIGHT, MAX_LINE_WIDTH = 0.2, 0.9
"""Largest height of a line and width of the longest one, as fractions of the canvas."""
LINE_SPACING = 1.2
# Scripts without spaces, in which a line may end after each character.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
PLAIN = str.maketrans({**dict.fromkeys("\u2010\u2011\u2013\u2014", "-"), "…": "..."})
"""Signs that Pillow's own font lacks, and what is written for them."""
UNASSIGNED = "\uffff"
"""No font has this character: it is drawn as those are that a font lacks."""
SHAPED = re.compile(r"[\u0590-\u08ff\u0900-\u0dff\u0e80-\u0fff\u1000-\u109f\u1780-\u17ff]")
"""Letters that are joined, moved or written from right to left, for which Pillow needs the library raqm."""


def render_text(
    text: str, size: tuple[int, int], colour: Colour = WHITE, background: Colour = BLACK, font: str = ""
) -> Image:
    """Return the text in the middle of a canvas (width, height), broken into lines, in the largest size that fits.

    Args:
        font: the file of a font; empty for Pillow's own.
    """
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", size, background)
    font_size, lines = _fit(text if font else text.translate(PLAIN), size, font)
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        y = size[1] / 2 + (i - (len(lines) - 1) / 2) * font_size * LINE_SPACING
        draw.text((size[0] / 2, y), line, fill=colour, font=open_font(font, font_size), anchor="mm")
    return canvas


def add_caption(picture: Image, text: str, font: str = "") -> Image:
    """Return the picture with the text in a white strip below it, as in MM-SafetyBench's SD_TYPO."""
    from PIL import Image

    strip = render_text(text, (picture.width, max(16, picture.height // 4)), BLACK, WHITE, font)
    canvas = Image.new("RGB", (picture.width, picture.height + strip.height), WHITE)
    canvas.paste(picture, (0, 0))
    canvas.paste(strip, (0, picture.height))
    return canvas


def split_words(text: str) -> list[str]:
    """Return what is never broken: words, and each character of a script without spaces."""
    return WORD.findall(text)


def require_letters(texts: Iterable[str], font: str = "") -> None:
    """Raise SeaError if the font lacks letters of the texts, or they cannot be set: each would become the same box."""
    text = unicodedata.normalize("NFC", "".join(texts))
    characters = dict.fromkeys(text if font else text.translate(PLAIN))
    drawn = open_font(font, 24)
    box = _mask(drawn, UNASSIGNED)
    if missing := "".join(char for char in characters if not char.isspace() and _mask(drawn, char) == box):
        shown = missing if len(missing) <= 20 else f"{missing[:20]}... ({number_of(len(missing), 'letter')})"
        raise SeaError(
            f"the font {font or 'of Pillow'} has no letter for {shown}",
            hint="Type --font FILE, a .ttf, .otf or .ttc file that has them. For Chinese, Japanese and Korean, for "
            "example: apt install fonts-noto-cjk, then --font /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        )
    if joined := "".join(filter(SHAPED.match, characters)):
        from PIL import features

        if not (features.check("raqm") and features.check("fribidi")):
            raise SeaError(
                f"Pillow cannot join or order the letters {joined[:20]}: it has no raqm here",
                hint="Install the library: apt install libfribidi0 libraqm0",
            )


@cache
def open_font(font: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font in a size in pixels. Raises SeaError for a file that is none."""
    from PIL import ImageFont

    if not font:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(font, size)
    except OSError as error:
        raise SeaError(
            f"the font cannot be opened: {error}", hint="Type --font FILE, a .ttf, .otf or .ttc file.", where=font
        ) from error


def _mask(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, char: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)


def _fit(text: str, size: tuple[int, int], font: str) -> tuple[int, list[str]]:
    """Return the largest font size, in pixels, at which the text fits, and its lines at that size."""
    font_size = max(6, int(max(MAX_LINE_HEIGHT * size[1], min(48, 0.6 * size[1]))))
    while font_size > 6:
        lines = _break_lines(text, MAX_LINE_WIDTH * size[0], font, font_size)
        widest = max((open_font(font, font_size).getlength(line) for line in lines), default=0)
        if widest <= MAX_LINE_WIDTH * size[0] and len(lines) * font_size * LINE_SPACING <= 0.95 * size[1]:
            return font_size, lines
        font_size = int(font_size * 0.9)
    return font_size, _break_lines(text, MAX_LINE_WIDTH * size[0], font, font_size)


def _break_lines(text: str, width: float, font: str, font_size: int) -> list[str]:
    lines: list[str] = []
    end = 0
    for match in WORD.finditer(text):
        separator = " " if lines and match.start() > end else ""
        longer = f"{lines[-1]}{separator}{match[0]}" if lines else ""
        if lines and open_font(font, font_size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(match[0])
        end = match.end()
    return lines
