"""A checkpoint may come from anybody: its files are data, which run no code and lead nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sea_core.errors import ModelError
from sea_core.model.hub import offline
from sea_core.runs.containment import is_file_name, require_contained

RESTORE_HINT = "Download or copy the checkpoint again."
LORA_CONFIG = "adapter_config.json"
WEIGHTS = (".safetensors",)
"""Files that may be links to anywhere: they are only read as tensors, and are too large to copy."""
KERNEL_SUFFIXES = ("attn_implementation", "attn_implementation_internal", "experts_implementation")
"""Keys of a configuration in which transformers takes OWNER/NAME as a kernel to download and run."""


@contextmanager
def untrusted(checkpoint: str) -> Iterator[None]:
    """Let transformers read a checkpoint inside the block; a folder is checked first, and needs no network.

    Raises:
        ModelError: it needs code of its own, or a file of it leads somewhere else.
        DataError: it has a link that leads out of it.
    """
    folder = Path(checkpoint)
    if is_folder := folder.is_dir():
        require_plain_files(folder)
    try:
        with offline(is_folder):
            yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        raise ModelError(
            f"the checkpoint {checkpoint} contains code of its own, which SEA does not run",
            hint="Give a checkpoint of a class that transformers has, or install a plugin that brings the class.",
        ) from error


def require_plain_files(folder: Path) -> None:
    """Check that the files of a checkpoint name no other file, model or kernel.

    Raises:
        ModelError, DataError: one of them does.
    """
    require_contained(folder, allowed=WEIGHTS)
    config = folder / "config.json"
    if (folder / LORA_CONFIG).is_file() and config.is_file():
        raise ModelError(
            f"{folder} has a config.json and an {LORA_CONFIG}: transformers would load the model that the latter names",
            hint="Give the base model with --model. To use the LoRA adapter in a benchmark, type: --lora FOLDER",
        )
    require_no_kernels(_read_object(config), str(config))
    for index in sorted(folder.glob("*.index.json")):
        files = _read_object(index).get("weight_map")
        for name in set(files.values()) if isinstance(files, dict) else ():
            if not isinstance(name, str) or not is_file_name(name):
                raise ModelError(
                    f"the list of weights names {name!r}, which is no file of the checkpoint",
                    hint="Download the checkpoint again, from a source that you trust.",
                    where=str(index),
                )


def require_no_kernels(config: Mapping[str, Any], where: str) -> None:
    """Raise ModelError where a configuration asks for a kernel of the hub, which is code."""
    waiting: list[Any] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if key.endswith(KERNEL_SUFFIXES) and "/" in json.dumps(inner):
                    raise ModelError(
                        f"{key} is {inner!r}: a kernel of the hub, which is code that SEA does not run",
                        hint=f"Remove {key} from the file: transformers then chooses an implementation of its own.",
                        where=where,
                    )
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _read_object(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where the file is none, which its own reader reports."""
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
