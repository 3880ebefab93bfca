"""Manifests for the runs that tests make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sea_core.model.adapter import Adapter
from sea_core.model.checkpoint import fingerprint
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata
from sea_core.runs.manifest import DataIdentity, ModelIdentity, ModelLocation, read_sealed, write_sealed

NO_MODEL = ModelIdentity(
    plugin="of the tests", plugin_version="", modality="", adapter={}, fingerprint="", dtype="float32"
)


def embedding_manifest(
    embeddings: int, *, adapter: Adapter | None = None, plugin: str = "of the tests"
) -> EmbeddingManifest:
    """Return the manifest of a run with the adapter's bundled model, in fp32; without an adapter, of no model."""
    model = NO_MODEL
    if adapter:
        digest = fingerprint(adapter.checkpoint, None)
        model = ModelIdentity(plugin, "", adapter.modality, asdict(adapter), digest, "float32")
    return EmbeddingManifest(
        identity=EmbeddingIdentity(sea="", model=model, data=DataIdentity("", "plain"), source="text"),
        metadata=EmbeddingMetadata(
            purpose="tests",
            model=ModelLocation(adapter.checkpoint if adapter else "bundled"),
            data_path="",
            embeddings=embeddings,
        ),
    )


def edit_manifest(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a stored manifest as somebody would who can also compute its checksum."""
    value = read_sealed(path, what="a manifest", hint="")
    change(value)
    write_sealed(path, value)
