"""Manifests: what describes a run folder, as typed dataclasses with a checked JSON round trip.

A manifest has an **identity**, all that must be the same for a run to be resumed, and **metadata**, what else is known.
Each kind of folder has a subclass of `Manifest`; docs/reference/run-folder.md lists the keys of all of them.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from sea_core.config import flatten
from sea_core.errors import RunError
from sea_core.runs.atomic import write_json

LIBRARIES = ("sea-core", "torch", "transformers", "safetensors", "numpy")

DIGESTS = {
    "data.digest": "the data differ",
    "model.fingerprint": "the model differs: it is another checkpoint",
    "benign_media": "the benign media differ",
    "examples": "the training examples differ",
    "cases": "the cases of the benchmark differ",
    "lora": "the LoRA adapter differs",
    "answers": "the imported answers differ",
}
"""Keys of identities whose value is a digest, and what it means when they differ."""
DIGEST = re.compile(r"[0-9a-f]{16,}")
DIGEST_DIGITS = 12

T = TypeVar("T")


def library_versions(*more: str) -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on; `more` names further ones."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in (*LIBRARIES, *more)}


def current_time() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class ModelIdentity:
    """The model that a run belongs to, independent of where it is stored.

    Attributes:
        plugin: the plugin's name. plugin_version: the version of its distribution.
        modality: which of the plugin's modalities.
        adapter: the adapter's settings.
        fingerprint: the digest of the checkpoint.
        dtype: the floating-point type that the model is loaded in, such as `float32`.
    """

    plugin: str
    plugin_version: str
    modality: str
    adapter: Mapping[str, JsonValue]
    fingerprint: str
    dtype: str


@dataclass(frozen=True)
class ModelLocation:
    """Where the model of a run was found. The plugin is known by its name only: a manifest names no code to run.

    Attributes:
        checkpoint: a folder or a hub id.
        revision: the commit of a hub model.
    """

    checkpoint: str
    revision: str | None = None


@dataclass(frozen=True)
class DataIdentity:
    """The data that a run was made from.

    Attributes:
        digest: of the file's contents.
        format: the format that it was read as.
        columns: column names given with `--columns`, ours to the file's.
    """

    digest: str
    format: str
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What describes a run folder. A subclass gives `identity` and `metadata` their types, and may add fields.

    Attributes:
        kind: the kind of folder; a constant of the subclass.
        identity: all that must be the same for the run to be resumed.
        metadata: what else is known; replaced when the run is resumed.
        versions: of the libraries, when the run was started.
        started: when the run was started, in UTC.
    """

    kind: str
    identity: Any
    metadata: Any
    versions: Mapping[str, str] = field(default_factory=library_versions)
    started: str = field(default_factory=current_time)

    def resumed_with(self, requested: Self) -> Self:
        """Return this manifest with the metadata of the command that resumes the run."""
        return replace(self, metadata=requested.metadata)


def normalise(manifest: T) -> T:
    """Return a manifest as it reads back from its file, so that it can be compared with a stored one.

    Raises:
        pydantic.ValidationError: a value has the wrong type.
    """
    return TypeAdapter(type(manifest)).validate_json(json.dumps(_as_dict(manifest)), strict=True)


def read_manifest(path: Path, manifest_type: type[T], *, noun: str, hint: str) -> T:
    """Read a manifest and check the type of every key.

    Args:
        manifest_type: the dataclass that the file must match.
        noun: the kind of folder, for the message. hint: how to get the file back.

    Raises:
        RunError: the file cannot be read, is not JSON, or does not match.
    """
    try:
        return TypeAdapter(manifest_type).validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise RunError(f"this file cannot be read: {error.strerror}", hint=hint, where=str(path)) from error
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        what = f"{key}: {problem['msg']}" if key else problem["msg"]
        raise RunError(
            f"{path.name} is damaged, or is not the manifest of a {noun}: {what}", hint=hint, where=str(path)
        ) from error


def write_manifest(path: Path, manifest: Any) -> None:
    """Write a manifest as readable JSON, whole or not at all."""
    write_json(path, _as_dict(manifest))


def require_same_identity(folder: Path, stored: Any, requested: Any, noun: str = "run", data_path: str = "") -> None:
    """Check that a run may be resumed.

    Args:
        stored: the identity in the folder. requested: that of the command, normalised.
        noun: what the folder contains, for the message.
        data_path: the requested data, for the message where the data differ.

    Raises:
        RunError: they differ; the message names each setting that does.
    """
    old, new = flatten(_as_dict(stored)), flatten(_as_dict(requested))
    keys = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if keys:
        lines = "\n  ".join(_difference(key, old.get(key), new.get(key), data_path) for key in keys)
        raise RunError(
            f"{folder} already contains a {noun} with different settings:\n  {lines}",
            hint="Pass a new folder with --out, or the same settings to resume.",
        )


def _difference(key: str, stored: object, requested: object, data_path: str) -> str:
    """Return one line on a setting that differs; digests are shortened, and what they stand for is named."""
    values = f"stored {_shortened(stored)}, requested {_shortened(requested)}"
    if key not in DIGESTS:
        return f"{key}: {values}"
    changed = f": {data_path} was changed, or is another file" if key == "data.digest" and data_path else ""
    return f"{DIGESTS[key]}{changed} ({key}: {values})"


def _shortened(value: object) -> str:
    return DIGEST.sub(lambda digest: digest[0][:DIGEST_DIGITS], str(value))


def _as_dict(value: Any) -> dict[str, Any]:
    return asdict(value)
