"""Check a folder that SEA wrote, byte by byte: its manifest, its journals, and the files in its inventory."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from typing_extensions import TypedDict

from sea_core.errors import RunError
from sea_core.runs import inventory
from sea_core.runs.atomic import DAMAGED
from sea_core.runs.block_folder import block_names
from sea_core.runs.blocks import Blocks
from sea_core.runs.containment import is_inside, require_contained
from sea_core.runs.folder_kind import STUDY, WRITTEN
from sea_core.runs.inventory import Damage, FileRecord, Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import read_sealed
from sea_core.runs.store import Store
from sea_core.runs.unfinished import done_parts, study_parts, unfinished_work

LOOSE = ("pending",)
"""Folders of what is in no inventory of the folder itself."""
MANIFESTS = tuple(kind.manifest for kind in WRITTEN)
PARTS = "*/*/*"
"""The run folders in the folder of a study: MODEL/KIND/NAME."""


class _Medium(TypedDict):
    """The fields of a line of `media.jsonl` that say which file it is, and what it must contain."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FolderCheck:
    """What a check found. All names are relative to the folder.

    Attributes:
        checked: the files that were read and compared.
        damage: those that are damaged or missing.
        unfinished: what the commands that write the folder have not done yet, with the file that says so.
        unchecked: the files that nothing could be compared with.
    """

    folder: Path
    checked: tuple[str, ...] = ()
    damage: tuple[Damage, ...] = ()
    unfinished: tuple[Damage, ...] = ()
    unchecked: tuple[str, ...] = ()

    def with_part(self, name: str, part: FolderCheck, *, is_wanted: bool) -> FolderCheck:
        """Return this check with that of a run folder in it; `is_wanted`: this one is not finished before that."""
        return replace(
            self,
            checked=(*self.checked, *(f"{name}/{each}" for each in part.checked)),
            damage=(*self.damage, *(each.in_folder(name) for each in part.damage)),
            unfinished=(*self.unfinished, *(each.in_folder(name) for each in part.unfinished if is_wanted)),
            unchecked=(*self.unchecked, *(f"{name}/{each}" for each in part.unchecked)),
        )


def check_folder(folder: Path) -> FolderCheck:
    """Check a run, a model folder, a benchmark run, a built benchmark or a study. Nothing is changed.

    A journal's lines are checked one by one. Of a study, each run folder in it is checked.

    Raises:
        RunError: SEA did not write the folder.
    """
    require_contained(folder)
    manifests = [name for name in MANIFESTS if (folder / name).is_file()]
    files = Inventory(folder).files()
    if not manifests and not files:
        what = "there is no such folder" if not folder.exists() else "SEA did not write this folder"
        hint = "Give a run, a model folder, a benchmark run, a built benchmark or a study."
        raise RunError(what, hint=hint, where=str(folder))
    checked, damage = _check_files(folder, manifests, list(files))
    parts = (
        {part.relative_to(folder).as_posix(): part for part in _parts(folder)} if STUDY.manifest in manifests else {}
    )
    others = _list_files(folder, leave_out={DAMAGED, *parts})
    known = {*checked, *(each.path for each in damage)}
    unchecked = tuple(name for name in others if name not in known)
    found = FolderCheck(folder, tuple(checked), tuple(damage), tuple(unfinished_work(folder)), unchecked)
    wanted = study_parts(folder) if STUDY.manifest in manifests else {}
    for name, part in parts.items():
        found = found.with_part(name, check_folder(part), is_wanted=name in wanted)
    return replace(found, damage=(*found.damage, *_missing_manifests(folder, wanted, found.damage)))


def _check_files(folder: Path, manifests: list[str], files: list[str]) -> tuple[list[str], list[Damage]]:
    """Compare the files that have a checksum, `files` of the inventory among them; return their names, and damage."""
    journals = [path.name for path in sorted(folder.glob("[!.]*.jsonl")) if path.name not in files]
    found = [damage for name in manifests for damage in _check_manifest(folder / name)]
    if not manifests:
        gone = [kind.manifest for kind in WRITTEN if any((folder / name).exists() for name in kind.made_under)]
        found += [Damage(name, "is missing") for name in gone[:1]]
    found += [damage for name in journals for damage in _check_journal(folder / name)]
    found += Inventory(folder).damage(thorough=True, cached=False)
    found += Store(folder).find_damage(cached=False)
    blocks = block_names(folder)
    found += [damage for name in blocks for damage in Blocks(folder, name).find_damage()]
    singles = [f"{part}/{name}" for part in (*LOOSE, *blocks) for name in _list_files(folder / part)]
    media = _media(folder, files)
    found += [Damage(name, problem) for name, problem in media.items() if problem]
    damage = {each.path: each for each in found}
    return [*manifests, *journals, *files, *media, *singles], list(damage.values())


def _media(folder: Path, known: Collection[str]) -> dict[str, str]:
    """Return what is wrong with each finished medium of a benchmark whose set is not complete; empty if nothing is.

    Such media are not in the inventory yet; their journal has their digests.
    """
    records = {each["path"]: each for each in JsonlLog(folder / "media.jsonl", _Medium).read(skip_damaged=True)}
    files: dict[str, FileRecord] = {
        name: {"path": name, "size": record["bytes"], "sha256": record["sha256"]}
        for name, record in records.items()
        if name not in known
    }
    inside = {name: record for name, record in files.items() if is_inside(folder / name, folder)}
    found = {name: Inventory(folder).problem(record, thorough=True, cached=False) for name, record in inside.items()}
    return found | dict.fromkeys(files.keys() - inside.keys(), "lies outside the folder, or has no file's name")


def _parts(study: Path) -> Iterator[Path]:
    """Yield the run folders of a study."""
    for path in sorted(study.glob(PARTS)):
        hidden = any(name.startswith(".") for name in path.relative_to(study).parts)
        if not hidden and any((path / name).is_file() for name in (*MANIFESTS, inventory.NAME)):
            yield path


def _missing_manifests(study: Path, wanted: Collection[str], known: Collection[Damage]) -> Iterator[Damage]:
    """Yield the manifests that parts of a study must have, since they are done, without those of known damage."""
    names = [f"{part}/{manifest}" for part, manifest in done_parts(study).items()] if wanted else []
    reported = {each.path for each in known}
    yield from (Damage(name, "is missing") for name in names if name not in reported and not (study / name).is_file())


def _list_files(folder: Path, leave_out: Collection[str] = ()) -> Iterator[str]:
    """Yield the files in a folder, sorted, without hidden ones; `leave_out` names folders."""
    for root, folders, names in os.walk(folder):
        place = Path(root).relative_to(folder)
        folders[:] = sorted(
            each for each in folders if not each.startswith(".") and (place / each).as_posix() not in leave_out
        )
        yield from ((place / name).as_posix() for name in sorted(names) if not name.startswith("."))


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
