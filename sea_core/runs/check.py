"""Check a folder that SEA wrote, byte by byte: its manifest, its journals, and the files in its inventory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sea_core.errors import RunError
from sea_core.runs import inventory
from sea_core.runs.block_folder import block_names
from sea_core.runs.blocks import Blocks
from sea_core.runs.containment import require_contained
from sea_core.runs.folder import OTHER_KINDS
from sea_core.runs.inventory import Damage, Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import read_sealed
from sea_core.runs.store import Store

LOOSE = ("pending",)
"""Folders of what is in no inventory of the folder itself."""
MANIFESTS = tuple(name for name in OTHER_KINDS if name != "config.json")


@dataclass(frozen=True)
class FolderCheck:
    """What a check found.

    Attributes:
        checked: the files that were read and compared, relative to the folder.
        damage: those that are damaged or missing.
    """

    folder: Path
    checked: tuple[str, ...]
    damage: tuple[Damage, ...]


def check_folder(folder: Path) -> FolderCheck:
    """Check a run, a model folder, a benchmark run or a built benchmark. Nothing is changed.

    Files that SEA did not write are not checked. A journal's lines are checked one by one.

    Raises:
        RunError: SEA did not write the folder.
    """
    require_contained(folder)
    manifests = [name for name in MANIFESTS if (folder / name).is_file()]
    files = Inventory(folder).files()
    journals = [path.name for path in sorted(folder.glob("[!.]*.jsonl")) if path.name not in files]
    if not manifests and not files:
        what = "there is no such folder" if not folder.exists() else "SEA did not write this folder"
        raise RunError(
            what, hint="Give a run, a model folder, a benchmark run or a built benchmark.", where=str(folder)
        )
    found = [damage for name in manifests for damage in _check_manifest(folder / name)]
    found += [damage for name in journals for damage in _check_journal(folder / name)]
    found += Inventory(folder).damage(thorough=True, cached=False)
    found += Store(folder).find_damage(cached=False)
    blocks = block_names(folder)
    found += [damage for name in blocks for damage in Blocks(folder, name).find_damage()]
    loose = sorted(
        Path(root, name) for part in (*LOOSE, *blocks) for root, _, names in os.walk(folder / part) for name in names
    )
    singles = [path.relative_to(folder).as_posix() for path in loose if not path.name.startswith(".")]
    damage = {each.path: each for each in found}
    return FolderCheck(folder, (*manifests, *journals, *files, *singles), tuple(damage.values()))


def _check_manifest(path: Path) -> Iterator[Damage]:
    try:
        read_sealed(path, what="it", hint="")
    except RunError as error:
        yield Damage(path.name, f"is damaged: {error.what}")


def _check_journal(path: Path) -> Iterator[Damage]:
    if path.name == inventory.NAME:
        return
    for number, problem in JsonlLog(path).damaged_lines().items():
        yield Damage(f"{path.name}:{number}", f"is damaged: {problem}")
