"""Refusal curves of one or several trainings as one page, from their stored answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from sea_core.alignment.curve_answers import CurvePoint, curve_points, open_curve
from sea_core.errors import SeaError
from sea_core.report import svg
from sea_core.runs.atomic import write_text

CSS = Path(__file__).parent / "templates" / "page.css"
PAGE = Markup(
    '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Refusal curves</title><style>{}</style><h1>Refusal curves</h1>{}</html>\n"
)
FIGURE = Markup('<figure class="plot"><figcaption>{}</figcaption>{}</figure>')


def write_curves(curves: Mapping[str, Path], out: Path) -> None:
    """Write an HTML page with the ratios of harmful and of benign questions that are refused, by step.

    Args:
        curves: the files that `RefusalCurve` wrote, by the names to show.

    Raises:
        SeaError: a file has no answers.
        RunError: a line of a file is damaged.
    """
    points = {name: curve_points(open_curve(file).read()) for name, file in curves.items()}
    if empty := [str(curves[name]) for name, found in points.items() if not found]:
        raise SeaError(f"{empty[0]} has no answers", hint="Give a file that RefusalCurve wrote.")
    groups = dict.fromkeys((point["group"], point["seen"]) for found in points.values() for point in found)
    sections = [_section(group, seen, points) for group, seen in groups]
    write_text(out, PAGE.format(Markup(CSS.read_text(encoding="utf-8")), Markup("").join(sections)))


def _section(group: str, seen: bool, points: Mapping[str, list[CurvePoint]]) -> Markup:
    """Return the plots of one group of questions: of each training, harmful and benign ones."""
    figures = []
    for name, found in points.items():
        metrics = [(p["step"], p["metrics"]) for p in found if (p["group"], p["seen"]) == (group, seen)]
        harmful = [(float(step), m["refusal_rate"]) for step, m in metrics if m["refusal_rate"] is not None]
        benign = [(float(step), m["over_refusal_rate"]) for step, m in metrics if m["over_refusal_rate"] is not None]
        for noun, line in (("harmful refused", harmful), ("benign refused", benign)):
            if line:
                figures.append(FIGURE.format(f"{name}: {noun}", svg.curve(line, "step", noun, highest=1.0)))
    title = f"{group}, trained on" if seen else group
    return Markup('<h2>{}</h2><div class="plots">{}</div>').format(title, Markup("").join(figures))
