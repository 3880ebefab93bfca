"""The folder of a LoRA adapter, as an alignment writes it: checked before anything in it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.errors import ModelError
from sea_core.model.untrusted import LORA_CONFIG, WEIGHTS
from sea_core.runs.containment import require_contained
from sea_core.schema import read_json

FILES = (LORA_CONFIG, "adapter_model.safetensors")
NAMES_NOTHING: Mapping[str, tuple[object, ...]] = {
    "megatron_core": (None, "megatron.core"),
    **dict.fromkeys(("megatron_config", "corda_config", "eva_config", "lora_ga_config", "arrow_config"), (None,)),
}
"""Keys that name modules or files, with the values that name none."""


def check_lora_folder(folder: Path) -> None:
    """Raise ModelError if the folder is not a LoRA adapter, or its configuration names code or files of others.

    Pickled weights are never read.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        inner = folder / "adapter"
        guess = f"Did you mean --lora {inner} ? " if all((inner / name).is_file() for name in FILES) else ""
        raise ModelError(
            f"{folder} is not a LoRA adapter: it has no {' and no '.join(missing)}",
            hint=f"{guess}Give the adapter folder that `sea align` wrote. A merged model is given with --model.",
        )
    require_contained(folder, allowed=WEIGHTS)
    path = folder / LORA_CONFIG
    hint = "Give the adapter folder that `sea align` wrote, or export the adapter again."
    config = read_json(path, dict[str, Any], what="the configuration of a LoRA adapter", hint=hint, error=ModelError)
    if (kind := config.get("peft_type")) != "LORA":
        raise ModelError(f"this adapter is of the type {kind!r}, not LORA", hint=hint, where=str(path))
    for key, known in NAMES_NOTHING.items():
        if (value := config.get(key)) not in known:
            what = f"{key} is {value!r}, which would make PEFT import or read something else than the adapter"
            raise ModelError(what, hint=f"Remove {key} from the file. {hint}", where=str(path))


def find_lora(folder: Path) -> Path:
    """Return the LoRA adapter in a folder of `sea align`; the folder itself if it is one.

    Raises:
        ModelError: there is none.
    """
    inner = folder / "adapter"
    lora = inner if (inner / FILES[0]).is_file() else folder
    check_lora_folder(lora)
    return lora
