"""The model folder: what `sea align` writes. docs/reference/run-folder.md describes every file and key."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import JsonValue

from sea_core.alignment.checkpoints import CHECKPOINTS, LogEntry
from sea_core.alignment.spot_check import SpotCheckRecord
from sea_core.runs.atomic import put_aside
from sea_core.runs.folder import RunFolder
from sea_core.runs.folder_kind import MODEL
from sea_core.runs.inventory import Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import Manifest, ModelIdentity, library_versions


@dataclass(frozen=True)
class AlignIdentity:
    """All that must be the same for an alignment to be resumed.

    Attributes:
        sea: the version of sea-core.
        model: the base model, in the dtype that it is trained in.
        method: `dpo` or `sft`. full_finetune: whether all weights of the language model are trained.
        config: the settings of the alignment. trainer, lora: settings passed to TRL and to PEFT.
        examples: the digest of all training examples.
        processes: how many processes train.
    """

    sea: str
    model: ModelIdentity
    method: str
    full_finetune: bool
    config: Mapping[str, JsonValue]
    trainer: Mapping[str, JsonValue]
    lora: Mapping[str, JsonValue]
    examples: str
    processes: int


@dataclass(frozen=True)
class AlignMetadata:
    """What else is known of an alignment.

    Attributes:
        checkpoint: the base model's folder or hub id. revision: its commit.
        runs: the run folders that were trained on. extra_texts: how many text examples besides.
    """

    checkpoint: str
    revision: str | None
    runs: tuple[str, ...]
    extra_texts: int


@dataclass(frozen=True, kw_only=True)
class AlignManifest(Manifest):
    """The manifest of a model folder, `align.json`. `metrics` is set when the alignment is finished."""

    kind: Literal["alignment"] = "alignment"
    identity: AlignIdentity
    metadata: AlignMetadata
    versions: Mapping[str, str] = field(default_factory=partial(library_versions, "trl", "peft"))
    metrics: Mapping[str, Any] | None = None


log = logging.getLogger(__name__)

EXPORTS = ("adapter", "merged", "logits.safetensors")
"""What a finished alignment has, by name: folders, and the file of logits that they were compared with."""
CARD = "README.md"
"""The model card, which people may edit."""


class ModelFolder(RunFolder[AlignManifest]):
    """An opened model folder. One process at a time writes, inside `with folder.writing():`.

    Attributes:
        spot_check: the answers before and after. trace: what the trainer logged.
        adapter, merged: the folders of the exports. logits: the file of logits that the exports must reproduce.
    """

    MANIFEST_TYPE: ClassVar[type[Manifest]] = AlignManifest
    MANIFEST_NAME = MODEL.manifest
    NOUN = "model folder"
    COMMAND = "sea align"

    def open_files(self) -> None:
        folder = self.folder
        self.spot_check = JsonlLog(folder / "spot_check.jsonl", SpotCheckRecord, key=("when", "group", "id"))
        self.trace: JsonlLog[Any] = JsonlLog(folder / "trace.jsonl", LogEntry)
        self.adapter, self.merged, self.logits = folder / "adapter", folder / "merged", folder / "logits.safetensors"

    def journals(self) -> Sequence[JsonlLog[Any]]:
        return self.spot_check, self.trace

    def can_be_replaced(self) -> bool:
        checkpoints = self.folder / CHECKPOINTS
        return not self.finished and not any(checkpoints.glob("checkpoint-*"))

    def discard(self) -> None:
        for journal in self.journals():
            journal.path.unlink(missing_ok=True)

    def put_aside_damage(self) -> None:
        """Move damaged exports to the folder `damaged`, so that they are made again.

        Where more is damaged than the merged model, which can be made from the LoRA adapter, the alignment is no
        longer finished: the model is trained again.
        """
        inventory = Inventory(self.folder)
        damaged = inventory.damage(thorough=True)
        names: set[str] = set()
        for each in damaged:
            name = Path(each.path.partition(":")[0]).parts[0]
            if name not in names:
                log.warning("%s is made again: %s %s", self.folder / name, each.path, each.problem)
            names.add(name)
        inventory.log.put_aside_damage()
        for name in sorted(names & set(EXPORTS)):
            put_aside(self.folder / name, self.folder)
            inventory.remove(self.folder / path for path in inventory.files() if Path(path).parts[0] == name)
        if self.finished and names and (names != {self.merged.name} or self.manifest.identity.full_finetune):
            self.discard()
            self._write(replace(self.manifest, metrics=None))

    @property
    def finished(self) -> bool:
        """Whether the alignment is finished: trained, exported and checked."""
        return self.manifest.metrics is not None

    @property
    def has_merged(self) -> bool:
        """Whether the merged model is written, checked and in the inventory."""
        listed = any(Path(path).parts[0] == self.merged.name for path in Inventory(self.folder).files())
        checked: Mapping[str, Any] = (self.manifest.metrics or {}).get("export", {}).get("exports", {})
        return listed and self.merged.name in checked

    def add_export(self, name: str) -> None:
        """Store the digests of an export that is complete: what a stop leaves of an alignment can be checked."""
        paths = (self.folder / name, *(self.folder / name).rglob("*"))
        Inventory(self.folder).add(path for path in paths if path.is_file() and path.name != CARD)

    def forget_exports(self) -> None:
        """Delete the inventory, which lists exports only, before they are written again after a stop."""
        Inventory(self.folder).log.path.unlink(missing_ok=True)

    def finish(self, metrics: Mapping[str, Any]) -> None:
        """Store the digests of the exports, then the metrics, which mark the alignment as finished."""
        for name in EXPORTS:
            self.add_export(name)
        self._write(replace(self.manifest, metrics=metrics))
