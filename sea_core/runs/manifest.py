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

from pydantic import JsonValue

from sea_core.config import flatten
from sea_core.errors import RunError
from sea_core.runs.atomic import write_json
from sea_core.runs.digests import sha256
from sea_core.schema import adapter, parse_json, read_json

LIBRARIES = ("sea-core", "torch", "transformers", "safetensors", "numpy")

DIGESTS = {
    "data.digest": "the data differ",
    "model.fingerprint": "the model differs: it is another checkpoint",
    "model.chat_template": "the chat template differs",
    "benign_media": "the benign media differ",
    "examples": "the training examples differ",
    "cases": "the cases of the benchmark differ",
    "lora": "the LoRA adapter differs",
    "answers": "the imported answers differ",
}
"""Keys of identities whose value is a digest or a long text, and what it means when they differ."""
CHECKSUM = "checksum"
"""The key of a manifest's own digest."""
DIGEST = re.compile(r"[0-9a-f]{16,}")
DIGEST_DIGITS = 12
SHOWN = 100
"""How many characters of a value are shown in a message."""

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
        chat_template: the chat template that was given in place of the checkpoint's own; empty for none.
        language: of the questions and target answers.
        quantization: in how many bits the language model's linear layers are, `4bit` or `8bit`; empty for the dtype.
    """

    plugin: str
    plugin_version: str
    modality: str
    adapter: Mapping[str, JsonValue]
    fingerprint: str
    dtype: str
    chat_template: str = ""
    language: str = "en"
    quantization: str = ""


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

    def identity_digest(self) -> str:
        """Return the digest of the identity."""
        return _checksum(_as_dict(self.identity))

    def resumed_with(self, requested: Self) -> Self:
        """Return this manifest with the metadata of the command that resumes the run."""
        return replace(self, metadata=requested.metadata)


def normalise(manifest: T) -> T:
    """Return a manifest as it reads back from its file, so that it can be compared with a stored one.

    Raises:
        pydantic.ValidationError: a value has the wrong type.
    """
    normalised: T = adapter(type(manifest)).validate_json(json.dumps(_as_dict(manifest)), strict=True)
    return normalised


def read_manifest(path: Path, manifest_type: type[T], *, noun: str, hint: str) -> T:
    """Read a manifest and check the type of every key.

    Args:
        manifest_type: the dataclass that the file must match.
        noun: the kind of folder, for the message. hint: how to get the file back.

    Raises:
        RunError: the file cannot be read, is not JSON, was changed, or does not match.
    """
    what = f"the manifest of a {noun}"
    text = json.dumps(read_sealed(path, what=what, hint=hint))
    return parse_json(text, manifest_type, what=what, hint=hint, where=str(path), error=RunError)


def write_manifest(path: Path, manifest: Any) -> None:
    """Write a manifest and its checksum as readable JSON, whole or not at all."""
    write_sealed(path, _as_dict(manifest))


def read_sealed(path: Path, *, what: str, hint: str) -> dict[str, Any]:
    """Read a JSON object that carries its own checksum.

    Raises:
        RunError: the file cannot be read, is not such an object, or was changed since it was written.
    """
    value: dict[str, Any] = read_json(path, dict[str, Any], what=what, hint=hint, error=RunError)
    if value.pop(CHECKSUM, None) != _checksum(value):
        raise RunError(f"{what} was changed since SEA wrote it: its checksum differs", hint=hint, where=str(path))
    return value


def write_sealed(path: Path, value: Mapping[str, Any], *, parents: bool = True) -> None:
    """Write a JSON object with its checksum as the last key (see `atomic_write` for `parents`)."""
    write_json(path, {**value, CHECKSUM: _checksum(value)}, parents=parents)


def _checksum(value: Mapping[str, Any]) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode())


SAME_SETTINGS_HINT = "Pass a new folder with --out, or the same settings to resume."


def require_same_identity(
    folder: Path | str,
    stored: Any,
    requested: Any,
    noun: str = "run",
    data_path: str = "",
    hint: str = SAME_SETTINGS_HINT,
) -> None:
    """Check that a run may be resumed.

    Args:
        stored: the identity in the folder. requested: that of the command, normalised.
        noun: what the folder contains, for the message.
        data_path: the requested data, for the message where the data differ.

    Raises:
        RunError: they differ; the message names each setting that does.
    """
    if differing := _differing(stored, requested):
        lines = "\n  ".join(_difference(key, *values, data_path) for key, values in differing.items())
        raise RunError(
            f"{folder} already contains a {noun} with different settings:\n  {lines}",
            hint=hint,
        )


def identity_changes(stored: Any, requested: Any) -> list[str]:
    """Return what differs between two identities, as in "seed 7 (it was 0)" and "data.digest B (it was A)"."""
    return [_change(key, *values) for key, values in _differing(stored, requested).items()]


def _change(key: str, stored: object, requested: object) -> str:
    name = key.removeprefix("config.")
    return f"{name} {_shortened(requested)} (it was {_shortened(stored)})"


def _differing(stored: Any, requested: Any) -> dict[str, tuple[object, object]]:
    """Return the stored and the requested value of each key that differs."""
    old, new = flatten(_as_dict(stored)), flatten(_as_dict(requested))
    keys = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    return {key: (old.get(key), new.get(key)) for key in keys}


def _difference(key: str, stored: object, requested: object, data_path: str) -> str:
    """Return one line on a setting that differs; digests are shortened, and what they stand for is named."""
    values = f"stored {_shortened(stored)}, requested {_shortened(requested)}"
    if key not in DIGESTS:
        return f"{key}: {values}"
    changed = f": {data_path} was changed, or is another file" if key == "data.digest" and data_path else ""
    return f"{DIGESTS[key]}{changed} ({key}: {values})"


def _shortened(value: object) -> str:
    """Return a value for a message: digests, and long texts such as a chat template, by their beginning."""
    text = DIGEST.sub(lambda digest: digest[0][:DIGEST_DIGITS], str(value))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _as_dict(value: Any) -> dict[str, Any]:
    return asdict(value)
