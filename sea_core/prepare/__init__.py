"""Text rows become prepared rows: phrase found, instruction detoxified and checked, goals written (paper, section 3.1).

A row that cannot be handled is refused with its reason. Importing this package loads no dictionary; extracting does.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from sea_core.adapter import Adapter
from sea_core.errors import SeaError
from sea_core.files import whole
from sea_core.prepare.extractor import Extractor, NotExtracted
from sea_core.prepare.extractors import EXTRACTORS, get_extractor
from sea_core.prepare.leak import leaked, placeholder
from sea_core.rows import Extraction, PreparedRow, RefusedRow, Row
from sea_core.templates import content_goal, style_goal

__all__ = [
    "EXTRACTORS",
    "Benign",
    "Extractor",
    "NotExtracted",
    "Preparation",
    "get_extractor",
    "leaked",
    "prepare",
]

Benign = Literal["embed", "text"]


@dataclass(frozen=True, slots=True)
class Preparation:
    """What became of the rows; every row is in exactly one of the three.

    Attributes:
        prepared: rows with their goals.
        refused: rows that could not be handled, each with its reason.
        text_only: benign rows that stay text, when that was asked for.
    """

    prepared: tuple[PreparedRow, ...]
    refused: tuple[RefusedRow, ...]
    text_only: tuple[Row, ...]

    def reasons(self) -> dict[str, int]:
        """Count the reasons for refusal, the commonest first. What follows a reason's colon is left out."""
        counts = Counter(refused.reason.split(":")[0] for refused in self.refused)
        return dict(counts.most_common())

    def write(self, path: Path) -> None:
        """Write every row with its outcome to a JSON Lines file, the prepared ones first.

        Raises:
            RunError: when the disk does not take it.
        """
        outcomes: list[dict[str, object]] = [
            {"id": row.id, "line": row.row.line, "outcome": "prepared", **asdict(row.extraction), "style": row.style}
            for row in self.prepared
        ]
        outcomes += [
            {"id": refused.row.id, "line": refused.row.line, "outcome": "refused", "reason": refused.reason}
            for refused in self.refused
        ]
        outcomes += [{"id": row.id, "line": row.line, "outcome": "text"} for row in self.text_only]
        with whole(path) as aside:
            aside.write_text("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in outcomes), encoding="utf-8")


def prepare(
    rows: Iterable[Row],
    adapter: Adapter,
    *,
    extractor: Extractor | None = None,
    seed: int = 0,
    benign: Benign = "embed",
    styles: Sequence[str] = (),
) -> Preparation:
    """Prepare rows for one adapter.

    Args:
        rows: the text safety set.
        adapter: gives the noun, the response prefixes and the styles.
        extractor: finds the phrases; by default the offline rules.
        seed: draws the styles, together with each row's id.
        benign: whether harmless rows are prepared like the others ("embed") or stay text ("text").
        styles: the style set to draw from, in place of the adapter's.

    Raises:
        SeaError: for another value of `benign`.
    """
    if benign not in get_args(Benign):
        raise SeaError(f'Benign rows cannot be treated as "{benign}".', hint='Choose "embed" or "text".')
    extractor = extractor or get_extractor("rules")
    prepared: list[PreparedRow] = []
    refused: list[RefusedRow] = []
    text_only: list[Row] = []
    for row in rows:
        if benign == "text" and not row.harmful:
            text_only.append(row)
            continue
        try:
            extraction = _checked(extractor.extract(row.instruction))
        except NotExtracted as error:
            refused.append(RefusedRow(row, str(error)))
            continue
        # By row id: the order of the rows and their number play no part.
        style = random.Random(f"{seed}:{row.id}").choice(styles or adapter.styles)
        goals = content_goal(adapter, extraction), style_goal(adapter, style)
        prepared.append(PreparedRow(row, extraction, goals, style))
    return Preparation(tuple(prepared), tuple(refused), tuple(text_only))


def _checked(extraction: Extraction) -> Extraction:
    """Return the extraction if its detoxified text is clean, whichever extractor it comes from."""
    if placeholder(extraction.kind) not in extraction.detoxified:
        raise NotExtracted(f'the detoxified text does not say "{placeholder(extraction.kind)}"')
    if words := leaked(extraction.phrase, extraction.detoxified, extraction.kind):
        raise NotExtracted("the detoxified text still holds words of the phrase", ", ".join(words))
    return extraction
