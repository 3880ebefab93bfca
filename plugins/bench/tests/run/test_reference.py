"""The reference of the run folder names every key that the benchmark writes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sea_bench.build.build_folder import BenchmarkManifest, SetIdentity, SetManifest
from sea_bench.run.records import AnsweredRecord, BenchVerdict, UnansweredRecord
from sea_bench.run.run_folder import BenchIdentity, BenchManifest, BenchMetadata, Preflight

REFERENCE = Path(__file__).parents[4] / "docs/reference/run-folder.md"
DATACLASSES = [BenchManifest, BenchIdentity, BenchMetadata, Preflight, BenchmarkManifest, SetManifest, SetIdentity]


@pytest.mark.parametrize("dataclass", DATACLASSES)
def test_every_key_of_a_manifest_is_documented(dataclass: Any) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [field.name for field in fields(dataclass) if f"`{field.name}`" not in text] == []


@pytest.mark.parametrize("record", [AnsweredRecord, UnansweredRecord, BenchVerdict])
def test_every_key_of_a_record_is_documented(record: Any) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [key for key in record.__annotations__ if f"`{key}`" not in text] == []
