"""What a reader said of prepared texts, field by field: a table of digests, which holds none of the texts."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sea_core.data.examples import Extraction

FIELDS = ("kind", "phrase", "detoxified", "sentence")
COLUMNS = ("set", "text", "extraction", *FIELDS)


@dataclass(frozen=True)
class Verdict:
    """Which fields of an extraction a reader accepted.

    Attributes:
        set: the name of the set, as in `coverage.SETS`.
        text: the digest of the text.
        extraction: the digest of the extraction that was read.
        right: whether each of `FIELDS` is right.
    """

    set: str
    text: str
    extraction: str
    right: tuple[bool, ...]


@dataclass(frozen=True)
class Tally:
    """The verdicts of one set that still hold, by field; the others are of extractions that have changed."""

    read: int
    right: tuple[int, ...]
    all_right: int
    changed: int

    def __str__(self) -> str:
        return " | ".join(map(str, (self.read, *self.right, self.all_right, self.changed)))


def digest(*parts: str) -> str:
    """Return the beginning of a digest: enough to find a text that one has, too little to find one that one has not."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def digest_extraction(extraction: Extraction) -> str:
    """Return the digest of the four fields that are read."""
    return digest(*(getattr(extraction, field) for field in FIELDS))


def read_verdicts(path: Path) -> list[Verdict]:
    """Read a table of verdicts. Raises SystemExit if it has other columns, or anything but 0 and 1 for a field."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise SystemExit(f"{path}: the columns must be {','.join(COLUMNS)}")
        found = [Verdict(row["set"], row["text"], row["extraction"], _fields(path, row)) for row in rows]
    if len({(verdict.set, verdict.text) for verdict in found}) < len(found):
        raise SystemExit(f"{path}: a text of a set has two verdicts: delete the older one")
    return found


def _fields(path: Path, row: dict[str, str]) -> tuple[bool, ...]:
    if not {row[field] for field in FIELDS} <= {"0", "1"}:
        raise SystemExit(f"{path}: {row['set']}, {row['text']}: each of {', '.join(FIELDS)} must be 0 or 1")
    return tuple(row[field] == "1" for field in FIELDS)


def tally(verdicts: Iterable[Verdict], prepared: Iterable[tuple[str, Extraction]]) -> Tally:
    """Count the verdicts on what is prepared today."""
    today = {digest(text): digest_extraction(extraction) for text, extraction in prepared}
    verdicts = list(verdicts)
    holding = [verdict.right for verdict in verdicts if today.get(verdict.text) == verdict.extraction]
    right = tuple(sum(fields) for fields in zip(*holding, strict=True)) or (0,) * len(FIELDS)
    return Tally(len(holding), right, sum(map(all, holding)), len(verdicts) - len(holding))
