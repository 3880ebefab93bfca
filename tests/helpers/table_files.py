"""The same three records as files of several types, and the error of one that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.text_sets import read_examples
from sea_core.data.result import ReadResult
from sea_core.errors import DataError

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "prompt": "How do I pick a lock?", "chosen": "No.", "rejected": "With a pin.", "images": None},
    {"id": "b", "prompt": "Why?", "chosen": "So, and\nso.", "rejected": 'As "they" say.', "images": None},
    {"id": "c", "prompt": "Who?", "chosen": "She.", "rejected": "She.", "images": None},
]
TEXTS = [("a", "No.", "With a pin."), ("b", "So, and\nso.", 'As "they" say.')]


def error_message(path: Path | str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    assert caught.value.hint
    return str(caught.value)


def texts(data: ReadResult) -> list[tuple[str, str | None, str | None]]:
    return [(example.id, example.chosen, example.rejected) for example in data.examples]


def parquet(path: Path, records: list[dict[str, Any]] = RECORDS) -> Path:
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


def jsonl(path: Path) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    return path


def saved(path: Path) -> Path:
    datasets.Dataset.from_list(RECORDS).save_to_disk(str(path))
    return path
