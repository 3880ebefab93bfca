"""What the manifests of several kinds of run share: the model's identity, and where it was found."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sea_core.runs.manifest import ModelIdentity, ModelLocation

if TYPE_CHECKING:
    from sea_core.pipeline.model_target import ModelTarget


def model_identity(target: ModelTarget) -> ModelIdentity:
    """Return the identity of a model and its plugin. It loads no weights."""
    return ModelIdentity(
        plugin=target.plugin.name,
        plugin_version=target.plugin.version,
        modality=target.adapter.modality,
        adapter=asdict(target.adapter),
        fingerprint=target.fingerprint(),
        dtype=target.dtype_name(),
        chat_template=target.chat_template.text if target.chat_template else "",
        language=target.adapter.language,
        quantization=target.quantize,
    )


def model_location(target: ModelTarget) -> ModelLocation:
    """Return where a model was found."""
    return ModelLocation(target.checkpoint, target.revision)
