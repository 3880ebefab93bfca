"""An aligned model, shared with its cards; without the questions of the spot check and their answers, if so wished."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from sea_core.alignment.model_card import model_card, require_card_metrics
from sea_core.alignment.run import CARD, AlignManifest, ModelFolder
from sea_core.errors import RunError
from sea_core.runs.atomic import write_json
from sea_core.runs.inventory import Inventory
from sea_core.runs.manifest import read_manifest
from sea_core.runs.public import public_name, public_value
from sea_core.schema import read_json
from sea_core.sharing.package import Package, stage_inventory, stage_journal, stage_manifest

TEXT_FILES = ("spot_check.jsonl", "logits.safetensors")
"""What holds questions and answers, or their token ids."""
FILES_WITH_PATHS = ("config.json", "sea.json")
"""How the names of configurations end, in which a library may have noted where it found a model."""


def pack_model(folder: Path, temporary: Path, with_text: bool) -> Package:
    """Return what of a model folder is shared. Raises RunError if the alignment is not finished."""
    model = ModelFolder(folder)
    if not model.finished:
        raise RunError("this alignment is not finished", hint="Re-run `sea align` first.", where=str(folder))
    manifest = model.manifest
    require_card_metrics(manifest, str(folder / "align.json"))
    base, runs = public_name(manifest.metadata.checkpoint), tuple(map(public_name, manifest.metadata.runs))
    known = Inventory(folder).files()
    files = {name: _without_paths(folder, name, temporary) for name in known if with_text or name not in TEXT_FILES}
    journals = ("trace.jsonl", *(["spot_check.jsonl"] if with_text else []))
    files |= {name: stage_journal(temporary, folder / name) for name in journals if (folder / name).is_file()}
    files["inventory.jsonl"] = stage_inventory(temporary, files, known)
    files["align.json"] = stage_manifest(temporary, "align.json", manifest, checkpoint=base, runs=runs)
    public: AlignManifest = read_manifest(files["align.json"], AlignManifest, noun="model folder", hint="")
    parts = sorted({PurePosixPath(name).parts[0] for name in known if "/" in name})
    identity = manifest.identity
    return Package(
        manifest="align.json",
        what="A model aligned with SEA",
        repo_type="model",
        files=files,
        facts={
            "Parts": " and ".join(parts),
            "Base": f"{base}, {identity.model.fingerprint}, plugin {identity.model.plugin} "
            f"{identity.model.plugin_version}, {identity.model.modality}, {identity.model.dtype}",
        },
        sent=[
            "the weights of " + " and ".join(parts),
            "settings, metrics and digests",
            "the names of the base model and of the runs that it was trained on",
        ]
        + ["the questions of the spot check, harmful ones included, and the answers"] * with_text,
        kept=["the questions of the spot check and the answers"] * (not with_text)
        + ["the checkpoints of the training, caches, locks, and where files lie on this machine"],
        commands=["sea pull SOURCE FOLDER", f"{use_command(known, 'FOLDER', identity.model.plugin)} --out runs/it"],
        source=manifest.metadata.checkpoint,
        with_text=with_text,
        fingerprint=identity.model.fingerprint,
        card=lambda licence: model_card(public, licence),
        more_cards=tuple(f"{part}/{CARD}" for part in parts if (folder / part / CARD).is_file()),
    )


def use_command(names: Iterable[str], folder: Path | str, plugin: str = "PLUGIN") -> str:
    """Return how a benchmark is put to a model that was pulled: fully fine-tuned, it is no LoRA adapter.

    Args:
        names: of the files in its folder.
    """
    has_adapter = any(name.startswith("adapter/") for name in names)
    part = f"--lora {folder}/adapter" if has_adapter else f"--model {folder}/merged"
    return f"sea bench run CASES --plugin {plugin} {part}"


def _without_paths(folder: Path, name: str, temporary: Path) -> Path:
    """Return a file, or a changed copy if it is a configuration that names where a model lies on this machine."""
    path = folder / name
    if not path.name.endswith(FILES_WITH_PATHS):
        return path
    value = read_json(path, dict[str, Any], what="a configuration", hint="Export it again: sea align", error=RunError)
    public = public_value(value)
    if public == value:
        return path
    copy = temporary / name
    write_json(copy, public)
    return copy
