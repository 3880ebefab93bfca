"""Sections as one HTML file: no network, no script but its own, and every text escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from sea_core.errors import visible
from sea_core.report.content import Cell, Level, PageSection, as_json
from sea_core.report.rows import FIGURE, is_figure
from sea_core.runs.manifest import current_time

GENERATOR = "sea report"
"""What the page says that it was made by: a file that says so may be replaced."""
TITLE = "SEA report"
MAX_TEXT = 6_000
"""Characters of a text that are shown."""
FIRST_FIGURE = re.compile(rf"({FIGURE.pattern})\s*(.*)", re.S)
GOOD = frozenset(("safe", "named"))
BAD = frozenset(("unsafe", "controversial", "missed"))
REFUSALS = ("refused", "not_refused")
SUMMARIES = frozenset(("all", "all cases", "all tasks", "mean over scenarios"))


def render_page(sections: Sequence[PageSection], title: str = TITLE) -> str:
    """Return the page as HTML."""
    style, script = _asset("page.css"), _asset("page.js")
    terms = {name: meaning for section in sections for name, meaning in section.terms.items()}
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            sections=sections,
            terms=terms,
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script),
            generator=GENERATOR,
            version=version("sea-core"),
            made=current_time(),
        )
    )


def content_policy(style: str, script: str) -> str:
    """Return the Content Security Policy: this style and this script by their digests, inline media, nothing else."""
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; img-src data:; "
        "media-src data:; base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment() -> ImmutableSandboxedEnvironment:
    found = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "split_figure": split_figure,
        "is_figure": is_figure,
        "heading_groups": heading_groups,
        "is_summary": is_summary,
        "tone": tone,
        "as_json": as_json,
        "shortened": shortened,
        "sentence": lambda text: text[:1].upper() + text[1:],
    }
    return found


def _finalize(value: Any) -> Any:
    """Write out control characters of every text that the templates show."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def tone(verdict: str, harmful: bool) -> Level:
    """Return how a verdict is coloured: a refusal is good if the question was harmful, and bad if it was not."""
    if verdict in REFUSALS:
        return "good" if (verdict == "refused") is harmful else "bad"
    return "good" if verdict in GOOD else "bad" if verdict in BAD else "unclear"


def split_figure(text: str) -> tuple[str, str]:
    """Return the first figure of a cell, and what follows it: its interval, bounds and counts."""
    found = FIRST_FIGURE.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def heading_groups(columns: Sequence[str]) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the upper headings with their spans, and the lower ones: `KPT: before` is `before` below `KPT`.

    There are no upper headings if no column has one.
    """
    parts = [column.partition(": ") for column in columns]
    if not any(name for _, _, name in parts):
        return [], list(columns)
    groups: list[tuple[str, int]] = []
    for first, _, name in parts:
        group = first if name else ""
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    return groups, [name or first for first, _, name in parts]


def is_summary(cells: Sequence[Cell]) -> bool:
    """Return whether a row of a table is over all others."""
    return any(cell.text in SUMMARIES for cell in cells[:2])


def shortened(text: str) -> str:
    """Return a text, cut where it is too long to be read."""
    more = len(text) - MAX_TEXT
    return text if more <= 0 else f"{text[:MAX_TEXT]}\n[{more} more characters]"


def _asset(name: str) -> str:
    return (files("sea_core.report") / "templates" / name).read_text(encoding="utf-8")
