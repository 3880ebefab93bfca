"""The ids of all that is stored in a run folder, each as often as it is stored."""

from __future__ import annotations

from pathlib import Path

from sea_core.runs.atomic import DAMAGED
from sea_core.runs.embedding_files import read_index, read_single


def stored_ids(run: Path) -> list[str]:
    """Return the ids in all indexes and all single files of a run and of its blocks, with repetitions, sorted.

    `Store` shows each id once, so that it cannot show that a result is stored twice.
    """
    indexes = [
        record
        for path in run.glob("**/index/*.parquet")
        if DAMAGED not in path.parts
        for record in read_index(path.read_bytes())
    ]
    singles = [read_single(path) for path in run.rglob("pending/*.safetensors") if DAMAGED not in path.parts]
    return sorted(record["id"] for record in (*indexes, *singles))
