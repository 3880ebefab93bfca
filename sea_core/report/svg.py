"""Plots as SVG. Colours and fonts are the page's: classes s0 to s5 for the series, `axis`, `grid`, `interval`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from sea_core.errors import visible
from sea_core.report.content import as_json

WIDTH = 520
MAX_SERIES = 6
LETTER = 7.8
"""Width of a letter of a label, as large as it is on a phone."""
LABEL, LABEL_LENGTH, LINE = 180, 22, 16
"""Width of the labels at the left of bars; letters of a line of one, and its height."""


@dataclass(frozen=True, slots=True)
class RatioBar:
    """A ratio with its interval. `link` is the id that it leads to, with the filter of its rows."""

    value: float | None
    interval: tuple[float, float] | None = None
    text: str = ""
    link: str = ""
    filter: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a map. `link` is the id of its row; empty if the page does not have it."""

    x: float
    y: float
    series: int
    title: str
    link: str = ""


def ratio_bars(groups: Sequence[tuple[str, Sequence[RatioBar]]], series: Sequence[str]) -> Markup:
    """Draw ratios from 0 to 1 as bars with intervals: a group of bars for each label, a bar for each series."""
    thick, gap = 16, 14
    size = thick * len(series) + gap
    legend, top = _legend(series) if len(series) > 1 else (Markup(""), 4)
    bottom = top + size * len(groups)
    plot = WIDTH - LABEL - 12

    def x(value: float) -> float:
        return LABEL + plot * value

    parts = [legend]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(_line(x(tick), top, x(tick), bottom, "grid"))
        parts.append(_text(x(tick), bottom + 16, f"{tick:g}", "tick", "middle"))
    for number, (label, bars) in enumerate(groups):
        y = top + number * size + gap / 2
        lines = textwrap.wrap(label, LABEL_LENGTH, max_lines=2, placeholder="…") or [label]
        for line, text in enumerate(lines):
            middle = y + thick * len(series) / 2 + 4 + LINE * (line - (len(lines) - 1) / 2)
            parts.append(_text(LABEL - 8, middle, text, "svg-label", "end", title=label))
        for i, bar in enumerate(bars):
            parts.append(_bar(bar, x, y + i * thick, thick - 3, i))
    parts.append(_line(LABEL, top, LABEL, bottom, "axis"))
    return _svg(bottom + 24, parts, ", ".join(label for label, _ in groups))


def _bar(bar: RatioBar, x: object, y: float, height: float, series: int) -> Markup:
    assert callable(x)
    if bar.value is None:
        return _text(LABEL + 6, y + height - 2, bar.text or "no figure", "tick")
    start, end, middle = x(0), x(bar.value), y + height / 2
    drawn = Markup('<rect class="s{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        series % MAX_SERIES, start, y, max(end - start, 1.5), height
    )
    if bar.interval:
        low, high = (x(each) for each in bar.interval)
        drawn += _line(low, middle, high, middle, "interval")
        drawn += _line(low, middle - 3, low, middle + 3, "interval") + _line(
            high, middle - 3, high, middle + 3, "interval"
        )
    # The whole width can be clicked, also where the bar is short.
    area = Markup('<rect class="area" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
        LABEL, y, WIDTH - LABEL, height
    )
    return _link(Markup("<title>{}</title>").format(visible(bar.text)) + drawn + area, bar.link, bar.filter)


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: what it counts, how many, and the short name on the axis."""

    label: str
    count: int
    tick: str = ""
    filter: Mapping[str, str] | None = None


def histogram(bins: Sequence[Bin], x_name: str, y_name: str, link: str = "") -> Markup:
    """Draw counts as upright bars."""
    height, left, top = 190, 58, 10
    bottom, plot = height - 38, WIDTH - left - 8
    highest = max((each.count for each in bins), default=0) or 1
    width = plot / max(len(bins), 1)
    every = ceil(len(bins) / 8)
    parts = _y_axis(_ticks(0, highest), lambda v: bottom - (bottom - top) * v / highest, left)
    for i, each in enumerate(bins):
        tall = (bottom - top) * each.count / highest
        drawn = Markup('<rect class="s0" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            left + i * width + 1, bottom - tall, max(width - 2, 1), tall
        )
        title = Markup("<title>{}: {}</title>").format(visible(each.label), each.count)
        parts.append(_link(title + drawn, link if each.count else "", each.filter))
        if i % every == 0:
            parts.append(_text(left + (i + 0.5) * width, bottom + 14, each.tick or each.label, "tick", "middle"))
    parts += [_line(left, bottom, WIDTH - 8, bottom, "axis"), *_names(x_name, y_name, left, height)]
    return _svg(height, parts, f"{y_name} by {x_name}")


def curve(points: Sequence[tuple[float, float]], x_name: str, y_name: str, highest: float = 0.0) -> Markup:
    """Draw a line through points, from the lowest to the highest x, and from 0 to the largest y, or to `highest`."""
    height, left, top = 190, 62, 10
    bottom, plot = height - 38, WIDTH - left - 12
    xs, ys = zip(*points, strict=True)
    (x0, x1), (y0, y1) = _span(xs), _span((0.0, highest, *ys))

    def x(value: float) -> float:
        return left + plot * (value - x0) / (x1 - x0)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - y0) / (y1 - y0)

    parts = _y_axis(_ticks(y0, y1), y, left)
    parts += [_text(x(tick), bottom + 14, f"{tick:g}", "tick", "middle") for tick in _ticks(x0, x1)]
    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    parts.append(Markup('<polyline class="line" points="{}"/>').format(path))
    parts += [_line(left, bottom, WIDTH - 12, bottom, "axis"), *_names(x_name, y_name, left, height)]
    return _svg(height, parts, f"{y_name} by {x_name}")


def scatter(points: Sequence[Point], series: Sequence[str], x_name: str, y_name: str) -> Markup:
    """Draw points of several series, each with its own shape and colour."""
    legend, top = _legend(series, shapes=True)
    height, left = 314 + top, 30
    bottom, plot = height - 30, WIDTH - left - 12
    x0, x1 = _span([point.x for point in points])
    y0, y1 = _span([point.y for point in points])
    parts = [legend]
    parts.append(
        Markup('<rect class="frame" x="{}" y="{}" width="{}" height="{}"/>').format(left, top, plot, bottom - top)
    )
    for point in points:
        x = left + 8 + (plot - 16) * (point.x - x0) / (x1 - x0)
        y = bottom - 8 - (bottom - top - 16) * (point.y - y0) / (y1 - y0)
        title = Markup("<title>{}</title>").format(visible(point.title))
        parts.append(_link(title + _shape(x, y, point.series), point.link))
    parts += _names(x_name, y_name, left, height)
    return _svg(height, parts, "map: " + ", ".join(series))


def signal(channels: Sequence[Sequence[float]]) -> Markup:
    """Draw channels of a signal below one another, each scaled to its own range."""
    size, width = 26, 320
    parts = []
    for number, values in enumerate(channels):
        low, high = _span(values)
        step = width / max(len(values) - 1, 1)
        path = " ".join(
            f"{i * step:.1f},{number * size + size - 2 - (size - 4) * (value - low) / (high - low):.1f}"
            for i, value in enumerate(values)
        )
        parts.append(Markup('<polyline class="line thin" points="{}"/>').format(path))
    return _svg(size * len(channels), parts, "signal", width)


def _shape(x: float, y: float, series: int) -> Markup:
    """Return a circle, a square, a triangle or a diamond: a reader may not tell colours apart."""
    name = f"p s{series % MAX_SERIES}"
    if series % 4 == 0:
        return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3.6"/>').format(name, x, y)
    corners = {
        1: ((-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)),
        2: ((0, -4.4), (4.2, 3.4), (-4.2, 3.4)),
        3: ((0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)),
    }[series % 4]
    path = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners)
    return Markup('<polygon class="{}" points="{}"/>').format(name, path)


def _legend(series: Sequence[str], *, shapes: bool = False) -> tuple[Markup, int]:
    """Return the names of the series with their colours, in as many lines as they need, and the height."""
    parts, x, y = [], 8.0, 0
    for number, name in enumerate(series):
        shown = _cut(name, 26)
        wide = 34 + LETTER * len(shown)
        if x > 8 and x + wide > WIDTH:
            x, y = 8.0, y + 18
        sample = Markup('<rect class="s{}" x="{:.0f}" y="{}" width="11" height="11"/>').format(
            number % MAX_SERIES, x, y + 3
        )
        parts.append(_shape(x + 5, y + 9, number) if shapes else sample)
        parts.append(_text(x + 16, y + 13, shown, "svg-label", title=name))
        x += wide
    return Markup("").join(parts), y + 24


def _y_axis(ticks: Sequence[float], y: object, left: float) -> list[Markup]:
    assert callable(y)
    parts = []
    for tick in ticks:
        parts.append(_line(left, y(tick), WIDTH - 8, y(tick), "grid"))
        parts.append(_text(left - 6, y(tick) + 4, f"{tick:g}", "tick", "end"))
    return parts


def _names(x_name: str, y_name: str, left: float, height: float) -> list[Markup]:
    turned = Markup('<text class="tick" text-anchor="middle" transform="translate(12 {:.0f}) rotate(-90)">{}</text>')
    return [_text((WIDTH + left) / 2, height - 6, x_name, "tick", "middle"), turned.format(height / 2 - 12, y_name)]


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two values, about four of them."""
    step = 10 ** floor(log10((high - low) / 4))
    step = next(size for factor in (1, 2, 5, 10) if (high - low) / (size := step * factor) <= 5)
    return [round(i * step, 10) for i in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _span(values: Iterable[float]) -> tuple[float, float]:
    """Return the lowest and the highest value; of equal ones a range around them."""
    found = list(values)
    low, high = min(found), max(found)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _text(x: float, y: float, text: str, name: str, anchor: str = "start", title: str = "") -> Markup:
    shown = Markup("<title>{}</title>").format(visible(title)) if title and title != text else Markup("")
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}{}</text>').format(
        name, x, y, anchor, shown, visible(text)
    )


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(name, x1, y1, x2, y2)


def _link(drawn: Markup, link: str, chosen: Mapping[str, str] | None = None) -> Markup:
    if not link:
        return Markup("<g>{}</g>").format(drawn)
    data = Markup(' data-filter="{}"').format(as_json(chosen)) if chosen is not None else Markup("")
    return Markup('<a href="#{}"{}>{}</a>').format(link, data, drawn)


def _svg(height: float, parts: Sequence[Markup], label: str, width: float = WIDTH) -> Markup:
    return Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        width, height, visible(label), Markup("").join(parts)
    )
