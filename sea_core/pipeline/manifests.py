"""What identifies the model of a run, as far as every kind of run shares it."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sea_core.pipeline.inputs import ModelTarget


def model_identity(target: ModelTarget) -> dict[str, Any]:
    """Return the identity of a model and its plugin. It loads no weights."""
    return {
        "sea": version("sea-core"),
        "plugin": target.plugin.name,
        "plugin_version": target.plugin.version,
        "modality": target.adapter.modality,
        "adapter": asdict(target.adapter),
        "model": target.fingerprint(),
        "dtype": target.dtype_name(),
    }
