"""What the page consists of. Reporters return sections of these parts; templates alone make HTML of them.

All texts may come from anybody's folder: they are escaped where they are shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sea_core.errors import visible

if TYPE_CHECKING:
    from markupsafe import Markup

Level = Literal["good", "bad", "unclear", "neutral"]
"""Whether a headline is good news; `neutral` where it only says what there is."""

Filter = Mapping[str, str]
"""Which rows a figure is computed from: a value for each label or key of a verdict, such as {"task": "TYPO"}."""


def rows_anchor(key: str) -> str:
    """Return the id of a section's list of rows."""
    return f"rows-{key}"


def as_json(chosen: Filter) -> str:
    """Return a filter or labels as JSON, with the texts as the page shows them."""
    return json.dumps({visible(name): visible(value) for name, value in chosen.items()})


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the user asked of the page.

    Attributes:
        rows: how many rows each section has at most.
        media: whether media are shown.
        media_root: a folder that media may be read from, besides those that a run proves to be its own.
        label_errors: how often people's labels are wrong; read where there are labels.
    """

    rows: int = 200
    media: bool = True
    media_root: Path | None = None
    label_errors: str = ""

    def rows_link(self, key: str) -> str:
        """Return the anchor that plots of a section link to; empty where the page has no rows."""
        return rows_anchor(key) if self.rows else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. `filter` leads to the rows that its figure is computed from; None for no link."""

    text: str
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table of figures. `folded`: shown on demand, because another one has the main figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with its caption."""

    title: str
    svg: Markup
    note: str = ""


@dataclass(frozen=True, slots=True)
class PageVerdict:
    """A verdict on a text of a row, such as `unsafe` by a guard model on the answer of the run `before`.

    Attributes:
        level: how it is coloured; None as the verdict is everywhere: `named` is good, of what a medium shows.
    """

    judge: str
    verdict: str
    run: str = ""
    detail: str = ""
    level: Level | None = None

    @property
    def keys(self) -> Filter:
        """What a filter compares."""
        found = {"run": self.run, "judge": self.judge, "verdict": self.verdict}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class PageText:
    """A text of a row with its verdicts. `run` is empty where it belongs to no run in particular."""

    name: str
    text: str
    verdicts: Sequence[PageVerdict] = ()
    minor: bool = False
    """Whether it is background, shown small."""


@dataclass(frozen=True, slots=True)
class PageMedium:
    """A medium as the page shows it: data of known types only, which were decoded and encoded again.

    Attributes:
        kind: `image` (for a video some of its frames), `audio` or `svg`.
        source: a data URI. svg: the drawing of a signal.
        note: what was changed or left out.
    """

    kind: Literal["image", "audio", "svg", "none"]
    source: str = ""
    svg: Markup | str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class PageRow:
    """One embedding, question or case with everything that is known of it.

    Attributes:
        name: unique in its section.
        labels: what filters select by, such as {"task": "TYPO", "status": "answered"}.
        harmful: whether its texts and media may be harmful; they are folded then.
    """

    name: str
    labels: Filter
    texts: Sequence[PageText]
    media: Sequence[PageMedium] = ()
    harmful: bool = True

    @property
    def verdicts(self) -> list[PageVerdict]:
        return [verdict for text in self.texts for verdict in text.verdicts]

    @property
    def data(self) -> str:
        """What the page's script needs, as JSON."""
        verdicts = ", ".join(as_json(each.keys) for each in self.verdicts)
        return f'{{"labels": {as_json(self.labels)}, "verdicts": [{verdicts}]}}'


@dataclass(frozen=True, kw_only=True)
class PageSection:
    """A part of the page: a run, or runs that are compared with each other.

    Attributes:
        key: letters, digits and hyphens; the anchor.
        kind: what it is about, such as "Aligned model". title: the names of the runs.
        headline: the verdict, in a sentence. level: whether it is good news.
        next_step: what to do, if that is known.
        facts: names and values of what identifies the runs: model, fingerprint, data, versions.
        commands: what to type to make the runs again.
        notes: what the figures leave out, in sentences. documents: texts in full, by title.
        total: how many rows there are. rows: those that the page has.
        terms: the figures that occur, and what they mean.
    """

    key: str
    kind: str
    title: str
    headline: str
    level: Level = "neutral"
    next_step: str = ""
    facts: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()
    tables: Sequence[PageTable] = ()
    plots: Sequence[Plot] = ()
    notes: Sequence[str] = ()
    documents: Sequence[tuple[str, str]] = ()
    total: int = 0
    rows: Sequence[PageRow] = ()
    terms: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows_anchor(self) -> str:
        """The id of the list of rows, which figures link to."""
        return rows_anchor(self.key)

    def row_anchor(self, number: int) -> str:
        """Return the id of a row, by its place on the page."""
        return f"row-{self.key}-{number}"

    @property
    def choices(self) -> dict[str, list[str]]:
        """What can be selected: for each label and key of a verdict the values that occur, if there are several.

        Values that begin with a number are in its order.
        """
        found: dict[str, dict[str, None]] = {}
        for row in self.rows:
            for keys in (row.labels, *(verdict.keys for verdict in row.verdicts)):
                for name, value in keys.items():
                    found.setdefault(name, {})[value] = None
        return {name: _in_order(values) for name, values in found.items() if len(values) > 1}

    @property
    def left_out(self) -> str:
        """One sentence on the rows that the page does not have; empty if it has all."""
        if len(self.rows) >= self.total:
            return ""
        return f"The page has {len(self.rows)} of {self.total} rows; the figures are computed from all."


def _in_order(values: Collection[str]) -> list[str]:
    """Return values as they are; in the order of the numbers that they all begin with, such as `8 to 9`, `10 to 11`."""
    numbers = {value: int(found[0]) for value in values if (found := re.match(r"\d+", value))}
    return sorted(values, key=lambda value: numbers[value]) if len(numbers) == len(values) else list(values)
