"""What of a folder is shared: its files, by an allow-list of each kind of folder, and what the card says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sea_core.errors import RunError, SeaError
from sea_core.runs.folder_kind import find_folder_kind
from sea_core.runs.inventory import NAME as INVENTORY
from sea_core.runs.inventory import FileRecord, Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import write_sealed
from sea_core.runs.public import public_record, public_value


@dataclass(frozen=True)
class Package:
    """What would be shared of a folder.

    Attributes:
        manifest: the name of the manifest. what: what the folder is, in words.
        repo_type: what it becomes on the hub.
        files: the paths on this machine by their shared names. A changed copy lies in a temporary folder.
        facts: what the card and the summary say of it: names and texts.
        sent, kept: what is in it, and what stays on this machine, one sentence each.
        commands: how to use it, with `FOLDER` for where it was pulled to.
        source: the data that it was made from, for the search for a licence; empty if unknown.
        with_text: whether texts of people are in it.
        fingerprint: of the model that it belongs to; empty for none.
        about: what a stranger must know first, for the card.
        card: returns the card of a kind of folder that has its own, for a licence; more_cards: where it also stands.
    """

    manifest: str
    what: str
    repo_type: Literal["dataset", "model"]
    files: Mapping[str, Path]
    facts: Mapping[str, str]
    sent: Sequence[str]
    kept: Sequence[str]
    commands: Sequence[str]
    source: str = ""
    with_text: bool = False
    fingerprint: str = ""
    about: str = ""
    card: Callable[[str], str] | None = None
    more_cards: tuple[str, ...] = ()


Packer = Callable[[Path, Path, bool], Package]
"""Packs a folder: takes the folder, a temporary folder for changed copies, and whether to include texts."""


@dataclass(frozen=True)
class PackageKind:
    """A kind of folder that can be shared.

    Attributes:
        manifest: the name of its manifest. noun: what it is called.
        open: opens a folder of this kind, and raises RunError or DataError for one that is damaged.
        pack: returns what of it is shared.
    """

    manifest: str
    noun: str
    open: Callable[[Path], Any]
    pack: Packer


def find_kind(folder: Path, kinds: Sequence[PackageKind]) -> PackageKind:
    """Return what kind a folder is. Raises SeaError if it is none of them, with the command that shares it."""
    for kind in kinds:
        if (folder / kind.manifest).is_file():
            return kind
    nouns = " or ".join(kind.noun for kind in kinds)
    other = find_folder_kind(folder)
    command = other.pushed_by if other else ""
    hint = f"Type: {command} {folder} ..." if command else f"Give the folder of {nouns}."
    raise SeaError(f"{folder} is not {nouns}" if folder.exists() else f"there is no folder {folder}", hint=hint)


def stage_manifest(folder: Path, name: str, manifest: Any, **metadata: Any) -> Path:
    """Write a manifest as it may be shared to a temporary folder, and return its path."""
    path = folder / name
    changed = replace(manifest, metadata=replace(manifest.metadata, **metadata)) if metadata else manifest
    write_sealed(path, public_value(asdict(changed)))
    return path


def stage_journal(folder: Path, path: Path) -> Path:
    """Return a journal, or a copy in a temporary folder if its records may not be shared as they are.

    Raises:
        RunError: two judges would have the same name.
    """
    records = JsonlLog[dict[str, Any]](path).read()
    public = list(map(public_record, records))
    if public == records:
        return path
    _require_distinct_judges(records, public, path)
    copy = JsonlLog[dict[str, Any]](folder / path.name)
    copy.append(public)
    return copy.path


def _require_distinct_judges(records: Sequence[Mapping[str, Any]], public: Sequence[Any], path: Path) -> None:
    """Raise RunError if judges would merge: a verdict is known by its judge, and the later would replace the other."""
    names: dict[Any, Any] = {}
    for record, shared in zip(records, public, strict=True):
        judge = record.get("judge")
        if names.setdefault(shared.get("judge"), judge) != judge:
            raise RunError(
                f"two judges would both be called {shared['judge']!r} where paths and addresses are left out",
                hint="Judge the run again, with a model whose name is no path or address.",
                where=str(path),
            )


def stage_inventory(folder: Path, files: Mapping[str, Path], known: Mapping[str, FileRecord]) -> Path:
    """Write an inventory of the shared files that the folder's own has; copies have digests of their own."""
    inventory = Inventory(folder)
    records: list[FileRecord] = []
    for name, path in files.items():
        if name in known:
            if path.is_relative_to(folder):
                inventory.add([path])
            else:
                records.append(known[name])
    inventory.log.append(records)
    return folder / INVENTORY
