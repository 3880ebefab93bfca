"""Simple drawings of the objects of the demo cases: each a few shapes on a canvas of 100 x 100, y downwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]
IconShape = tuple[str, tuple[float, ...]]
"""("polygon" | "ellipse" | "rectangle" | "line" | "hole", numbers); a hole is an ellipse in the background colour."""

ICONS: dict[str, tuple[IconShape, ...]] = {
    "lamp": (
        ("polygon", (32, 8, 68, 8, 88, 52, 12, 52)),
        ("line", (50, 52, 50, 84)),
        ("rectangle", (28, 84, 72, 96)),
    ),
    "book": (
        ("polygon", (50, 28, 6, 16, 6, 80, 50, 92)),
        ("polygon", (50, 28, 94, 16, 94, 80, 50, 92)),
        ("line", (16, 36, 40, 42)),
        ("line", (60, 42, 84, 36)),
    ),
    "bike": (
        ("ellipse", (2, 46, 46, 90)),
        ("ellipse", (54, 46, 98, 90)),
        ("hole", (12, 56, 36, 80)),
        ("hole", (64, 56, 88, 80)),
        ("line", (24, 68, 42, 32, 70, 32, 50, 68, 24, 68)),
        ("line", (76, 68, 68, 16, 84, 16)),
    ),
    "phone": (
        ("rectangle", (28, 2, 72, 98)),
        ("hole", (44, 84, 56, 95)),
        ("line", (34, 14, 66, 14, 66, 78, 34, 78, 34, 14)),
    ),
    "cake": (
        ("rectangle", (6, 52, 94, 94)),
        ("rectangle", (20, 28, 80, 52)),
        ("line", (50, 28, 50, 6)),
        ("line", (6, 72, 94, 72)),
    ),
    "chair": (
        ("rectangle", (20, 4, 36, 58)),
        ("rectangle", (20, 48, 84, 62)),
        ("line", (24, 62, 24, 98)),
        ("line", (80, 62, 80, 98)),
    ),
    "key": (
        ("ellipse", (2, 28, 46, 72)),
        ("hole", (14, 40, 34, 60)),
        ("rectangle", (46, 44, 98, 56)),
        ("rectangle", (76, 56, 84, 76)),
        ("rectangle", (90, 56, 98, 70)),
    ),
    "bomb": (("ellipse", (14, 30, 78, 94)), ("rectangle", (50, 18, 70, 36)), ("line", (62, 18, 78, 6, 96, 12))),
    "ticket": (
        ("polygon", (4, 26, 96, 26, 96, 42, 88, 50, 96, 58, 96, 74, 4, 74, 4, 58, 12, 50, 4, 42)),
        ("line", (34, 28, 34, 72)),
    ),
    "camera": (
        ("rectangle", (4, 28, 96, 86)),
        ("rectangle", (34, 14, 66, 28)),
        ("hole", (28, 34, 72, 78)),
        ("line", (78, 38, 88, 38)),
    ),
    "hat": (("polygon", (50, 4, 84, 78, 16, 78)), ("rectangle", (4, 78, 96, 92))),
    "scarf": (
        ("polygon", (52, 44, 76, 36, 86, 84, 64, 92)),
        ("polygon", (34, 40, 60, 44, 54, 98, 26, 98)),
        ("ellipse", (14, 4, 86, 52)),
        ("hole", (30, 14, 70, 38)),
        ("line", (29, 88, 55, 88)),
    ),
    "hose": (
        ("ellipse", (6, 16, 78, 88)),
        ("hole", (22, 32, 62, 72)),
        ("line", (78, 52, 90, 80)),
        ("polygon", (84, 78, 98, 74, 98, 98, 88, 98)),
    ),
    "spoon": (("ellipse", (2, 30, 42, 70)), ("rectangle", (40, 45, 98, 55))),
}


@dataclass(frozen=True)
class Paint:
    """The colours and the line width of a drawing; `body` None draws outlines only."""

    body: Colour | None
    line: Colour
    hole: Colour
    width: float


def paint(
    canvas: ImageDraw, name: str, box: tuple[float, float, float], with_: Paint, wobble: Callable[[], float]
) -> None:
    """Draw the icon `name` into a square.

    Args:
        box: left, top and side of the square, in pixels.
        wobble: returns what is added to each coordinate, in hundredths of the side.
    """
    left, top, side = box
    width = max(1, round(with_.width * side / 100))
    for shape, numbers in ICONS[name]:
        points = [
            (top if i % 2 else left) + min(100.0, max(0.0, n + wobble())) * side / 100 for i, n in enumerate(numbers)
        ]
        if shape == "line":
            canvas.line(points, fill=with_.line, width=max(width, round(side * 0.05)), joint="curve")
        elif shape == "polygon":
            canvas.polygon(points, fill=with_.body, outline=with_.line, width=width)
        elif shape == "rectangle":
            canvas.rectangle(points, fill=with_.body, outline=with_.line, width=width)
        else:
            fill = with_.hole if shape == "hole" and with_.body else with_.body
            canvas.ellipse(points, fill=fill, outline=with_.line, width=width)
