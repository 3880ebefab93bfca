"""The model that a LoRA adapter belongs to: named by the adapter's files, and used only if it is that model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_bench.run.lora_folder import check_lora_folder
from sea_core.errors import ModelError
from sea_core.model.checkpoint import CARD, fingerprint, read_card
from sea_core.model.untrusted import LORA_CONFIG
from sea_core.pipeline.model_target import ModelTarget
from sea_core.schema import check, read_json

HINT = "Give the model that it was trained on with --model."


class Base(TypedDict):
    """What `sea align` wrote into the adapter's folder (`sea.json`) about the model that it trained."""

    checkpoint: str
    fingerprint: str


def on_base(target: ModelTarget, lora: Path) -> ModelTarget:
    """Return the target with the model that a LoRA adapter was trained on, where the user has named none.

    Raises:
        ModelError: it is not a LoRA adapter, or its model is not found.
    """
    check_lora_folder(lora)
    return replace(target, checkpoint=find_base(lora, target.checkpoint))


def find_base(lora: Path, default: str) -> str:
    """Return the checkpoint of the model that a LoRA adapter was trained on, where the user has named none.

    That is the plugin's own model, or the folder that the adapter names, if it has the fingerprint that the adapter
    names. A hub id that only a file names is never downloaded.

    Args:
        default: the plugin's own model.

    Raises:
        ModelError: neither is the model that the adapter was trained on.
    """
    base = read_base(lora)
    name = base["checkpoint"] if base else _named_base(lora)
    if _same_place(name, default) if base is None else fingerprint(default, None) == base["fingerprint"]:
        return default
    if base and Path(name).is_dir() and fingerprint(name, None) == base["fingerprint"]:
        return name
    raise ModelError(
        f"the LoRA adapter {lora} was trained on {name or 'a model that it does not name'}, not on the plugin's own "
        f"model, {default}",
        hint=f"{HINT} A model that only a file names is used only if it is a folder with the same fingerprint.",
    )


def require_base(lora: Path, checkpoint: str, found: str) -> None:
    """Raise ModelError if a LoRA adapter was trained on another model, as far as it says.

    Args:
        checkpoint: the model to put it on. found: its fingerprint.
    """
    base = read_base(lora)
    if base and base["fingerprint"] != found:
        trained_on = f"{base['checkpoint']} ({base['fingerprint']})"
        raise ModelError(
            f"the LoRA adapter {lora} was trained on another model, {trained_on}, than {checkpoint} ({found})",
            hint=HINT,
        )


def read_base(lora: Path) -> Base | None:
    """Return what the adapter's `sea.json` says of its base; None for an adapter that SEA did not write."""
    base = read_card(str(lora)).get("base")
    where = str(lora / CARD)
    return (
        check(base, Base, what="the base of a LoRA adapter", hint=HINT, where=where, error=ModelError) if base else None
    )


def _named_base(lora: Path) -> str:
    """Return the base that PEFT's configuration names; empty if it names none."""
    path = lora / LORA_CONFIG
    what = "the configuration of a LoRA adapter"
    config = read_json(path, dict[str, Any], what=what, hint="Export the adapter again.", error=ModelError)
    name = config.get("base_model_name_or_path")
    return name if isinstance(name, str) else ""


def _same_place(name: str, default: str) -> bool:
    return name == default or (Path(name).is_dir() and Path(default).is_dir() and Path(name).samefile(default))
