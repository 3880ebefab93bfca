"""The reference of the run folder names every key that the code writes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sea_core.alignment.run import AlignIdentity, AlignManifest, AlignMetadata
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import (
    EmbeddingIdentity,
    EmbeddingManifest,
    EmbeddingMetadata,
    ResolvedSettings,
    SkippedExampleRecord,
)
from sea_core.runs.manifest import DataIdentity, ModelIdentity, ModelLocation
from sea_core.runs.records import VerdictRecord

REFERENCE = Path(__file__).parents[2] / "docs/reference/run-folder.md"
DATACLASSES = [
    ModelIdentity,
    ModelLocation,
    DataIdentity,
    EmbeddingManifest,
    EmbeddingIdentity,
    EmbeddingMetadata,
    ResolvedSettings,
    AlignManifest,
    AlignIdentity,
    AlignMetadata,
]


@pytest.mark.parametrize("dataclass", DATACLASSES)
def test_every_key_of_a_manifest_is_documented(dataclass: Any) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [field.name for field in fields(dataclass) if f"`{field.name}`" not in text] == []


@pytest.mark.parametrize("record", [EmbeddingRecord, SkippedExampleRecord, VerdictRecord])
def test_every_key_of_a_record_is_documented(record: Any) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [key for key in record.__annotations__ if f"`{key}`" not in text] == []
