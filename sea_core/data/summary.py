"""What a file holds, in figures: rows by class, what was left out, duplicates, lengths, media that are missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sea_core.data.examples import Example, is_url
from sea_core.data.result import ReadResult


@dataclass(frozen=True, slots=True)
class MissingMedium:
    """A medium that a row names and that is not there."""

    example: str
    number: int | None
    medium: str


def missing_media(rows: ReadResult) -> tuple[MissingMedium, ...]:
    """List the media files that are not there. What has an address (https://...) is not looked for."""
    there: dict[str, bool] = {}
    found = []
    for row in rows.examples:
        for medium in row.media:
            if not is_url(medium) and not there.setdefault(medium, Path(medium).is_file()):
                found.append(MissingMedium(row.id, row.line, medium))
    return tuple(found)


def summary(rows: ReadResult) -> dict[str, Any]:
    """Return the figures of a file, as JSON types. Each record gave rows, was left out, or is bad."""
    duplicates = Counter(" ".join(row.instruction.split()).casefold() for row in rows.examples)
    return {
        "file": str(rows.path),
        "format": rows.format,
        "records": rows.records,
        "rows": len(rows.examples),
        "dropped": rows.skip_counts,
        "bad": len(rows.invalid),
        "noted": rows.notes,
        "classes": _classes(rows.examples),
        "duplicates": sum(duplicates.values()) - len(duplicates),
        "characters": {name: _lengths(texts) for name, texts in _texts(rows.examples).items() if texts},
    }


def details(rows: ReadResult) -> dict[str, Any]:
    """Return every record that gave no row, with its place, and every medium that is missing."""
    return {
        "bad_records": [asdict(bad) for bad in rows.invalid],
        "dropped_records": [asdict(left) for left in rows.skipped],
        "missing_media": [asdict(one) for one in missing_media(rows)],
    }


def _classes(rows: tuple[Example, ...]) -> dict[str, int]:
    counts = {
        "harmful": sum(row.harmful for row in rows),
        "benign": sum(not row.harmful for row in rows),
        "with an answer (SFT)": sum(row.response is not None for row in rows),
        "with a pair of answers (DPO)": sum(row.chosen is not None for row in rows),
        "with media": sum(bool(row.media) for row in rows),
        "with media at an address, not looked for": sum(any(map(is_url, row.media)) for row in rows),
        "prepared": sum(row.extraction is not None for row in rows),
    }
    return {name: count for name, count in counts.items() if count}


def _texts(rows: tuple[Example, ...]) -> dict[str, list[str]]:
    names = ("instruction", "response", "chosen", "rejected")
    return {name: [text for row in rows if (text := getattr(row, name)) is not None] for name in names}


def _lengths(texts: list[str]) -> dict[str, float]:
    lengths = sorted(map(len, texts))
    return {"shortest": lengths[0], "median": median(lengths), "longest": lengths[-1]}
