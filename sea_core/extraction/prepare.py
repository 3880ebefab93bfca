"""Text rows become prepared rows: phrase found, instruction detoxified and checked, goals written (paper, section 3.1).

A row that cannot be handled is refused with its reason. Importing this package loads no dictionary; extracting does.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from sea_core.data.examples import Example, Extraction, PreparedExample, SkippedExample
from sea_core.data.media_paths import relative_media_path
from sea_core.errors import SeaError
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.leak import leaked_words
from sea_core.extraction.registry import EXTRACTORS, get_extractor
from sea_core.extraction.repair import repair
from sea_core.extraction.validate import check_form
from sea_core.model.adapter import Adapter
from sea_core.model.prompts import content_goal, style_goal
from sea_core.runs.atomic import backup_existing, write_text

__all__ = [
    "EXTRACTORS",
    "Benign",
    "ExtractionFailed",
    "Extractor",
    "Preparation",
    "get_extractor",
    "leaked_words",
    "prepare",
]

Benign = Literal["embed", "text"]
AT_LEAST = 8
"""Rows that the extractor is asked about at a time, at least: a server answers several at once."""
SILENCE = ExtractionFailed("the extractor said nothing about the instruction")


@dataclass(frozen=True, slots=True)
class Preparation:
    """What became of the rows; every row is in exactly one of the three.

    Attributes:
        prepared: rows with their goals.
        refused: rows that could not be handled, each with its reason.
        text_only: benign rows that stay text, when that was asked for.
    """

    prepared: tuple[PreparedExample, ...]
    skipped: tuple[SkippedExample, ...]
    text_only: tuple[Example, ...]

    def reason_counts(self) -> dict[str, int]:
        """Count the reasons for refusal, the commonest first. What follows a reason's colon is left out."""
        counts = Counter(refused.reason.split(":")[0] for refused in self.skipped)
        return dict(counts.most_common())

    def write(self, path: Path) -> Path | None:
        """Write every row with its outcome to a JSON Lines file, the prepared ones first, for people to mend.

        Returns:
            where a file of that name was put that held something else, which a hand may have mended.

        Raises:
            RunError: when the disk does not take it.
        """
        lines = [
            _line(row.example, "prepared", path, **asdict(row.extraction), style=row.style) for row in self.prepared
        ]
        lines += [_line(refused.example, "skipped", path, reason=refused.reason) for refused in self.skipped]
        lines += [_line(row, "text", path) for row in self.text_only]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        former = backup_existing(path, text)
        write_text(path, text)
        return former


def _line(row: Example, outcome: str, path: Path, **found: object) -> dict[str, object]:
    """Return one row of the file at `path`; what a row does not have is left out."""
    row = replace(row, media=tuple(relative_media_path(path.parent, medium) for medium in row.media))
    own = {name: value for name, value in asdict(row).items() if name not in ("id", "line", "extraction")}
    told = {"id": row.id, "line": row.line, "outcome": outcome} | own | found
    return {name: value for name, value in told.items() if value is not None and value != ()}


def prepare(
    examples: Iterable[Example],
    adapter: Adapter,
    *,
    extractor: Extractor | None = None,
    seed: int = 0,
    benign: Benign = "embed",
    styles: Sequence[str] = (),
    limit: int | None = None,
) -> Preparation:
    """Prepare rows for one adapter.

    Args:
        rows: the text safety set.
        adapter: gives the noun, the response prefixes and the styles.
        extractor: finds the phrases; by default the offline rules. A row that brings its extraction is not asked about.
        seed: draws the styles, together with each row's id.
        benign: whether harmless rows are prepared like the others ("embed") or stay text ("text").
        styles: the style set to draw from, in place of the adapter's.
        limit: how many prepared rows are wanted. The extractor is asked about no row behind them, but for a few.

    Raises:
        SeaError: for another value of `benign`, or when the extractor cannot work.
    """
    if benign not in get_args(Benign):
        raise SeaError(f'Benign rows cannot be treated as "{benign}".', hint='Choose "embed" or "text".')
    extractor = extractor or get_extractor("rules")
    examples = list(examples)
    kept = [row for row in examples if row.harmful or benign == "embed"]
    prepared: list[PreparedExample] = []
    refused: list[SkippedExample] = []
    begin = 0
    while begin < len(kept) and (limit is None or len(prepared) < limit):
        end = len(kept) if limit is None else begin + max(limit - len(prepared), AT_LEAST)
        for row, outcome in _extracted(kept[begin:end], extractor):
            try:
                extraction = _checked(outcome)
            except ExtractionFailed as error:
                refused.append(SkippedExample(row, str(error)))
                continue
            # By row id: the order of the rows and their number play no part.
            style = random.Random(f"{seed}:{row.id}").choice(styles or adapter.styles)
            goals = content_goal(adapter, extraction), style_goal(adapter, style)
            prepared.append(PreparedExample(row, extraction, goals, style))
        begin = end
    text_only = tuple(row for row in examples if not row.harmful) if benign == "text" else ()
    return Preparation(tuple(prepared[:limit]), tuple(refused), text_only)


def _extracted(rows: Sequence[Example], extractor: Extractor) -> list[tuple[Example, Extraction | ExtractionFailed]]:
    """Return the rows in their order, each with what it brought itself or the extractor found."""
    left = [i for i, row in enumerate(rows) if row.extraction is None]
    found = {left[n]: outcome for n, outcome in extractor.extract([rows[i].instruction for i in left])}
    return [(row, row.extraction or found.get(i, SILENCE)) for i, row in enumerate(rows)]


def _checked(outcome: Extraction | ExtractionFailed) -> Extraction:
    """Return the extraction, repaired where it must be, whichever extractor or hand it comes from."""
    if isinstance(outcome, ExtractionFailed):
        raise outcome
    found = repair(outcome)
    check_form(found)
    return found
