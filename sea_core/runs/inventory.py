"""The inventory of a folder: the size and the digest of each of its files that must not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from typing_extensions import TypedDict

from sea_core.errors import RunError
from sea_core.runs.atomic import disk_errors
from sea_core.runs.digests import file_digest
from sea_core.runs.jsonl import JsonlLog

NAME = "inventory.jsonl"


class FileRecord(TypedDict):
    """A line of `inventory.jsonl`: a file, relative to the folder; without size and digest once it is removed."""

    path: str
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Damage:
    """A file whose bytes are not those that were written. `problem` completes the sentence "PATH ..."."""

    path: str
    problem: str

    def in_folder(self, name: str) -> Damage:
        """Return it with its path from a folder further up, in which its own folder has this name."""
        return Damage(f"{name}/{self.path}", self.problem)


class Inventory:
    """The inventory of a folder. The last line of a file counts; a changed file gets a new line.

    Args:
        moving_to: where a worker may just be moving the files of this folder, under the same names.
    """

    def __init__(self, folder: Path, moving_to: Path | None = None) -> None:
        self.folder, self.folders = folder, (folder, moving_to) if moving_to else (folder,)
        self.log = JsonlLog(folder / NAME, FileRecord, key=("path",))

    def files(self) -> dict[str, FileRecord]:
        """Return the files that must be there, by their paths relative to the folder, as far as lines are intact.

        Raises:
            RunError: a path leads out of the folder, or is none.
        """
        found = {}
        for record in self.log.read(skip_damaged=True):
            path = PurePosixPath(record["path"])
            if path.is_absolute() or ".." in path.parts or "\0" in record["path"]:
                what = f"the inventory names a file outside its folder, or none: {record['path']!r}"
                raise RunError(what, hint="Do not use this folder: SEA writes no such line.", where=str(self.log.path))
            if record["sha256"] is not None:
                found[record["path"]] = record
        return found

    def add(self, paths: Iterable[Path]) -> None:
        """Store the sizes and digests of complete files. A file that is stored already gets no second line."""
        with disk_errors(self.log.path):
            records: list[FileRecord] = [
                {"path": self._name(path), "size": path.stat().st_size, "sha256": file_digest(path)} for path in paths
            ]
        self.add_records(records)

    def add_records(self, records: Iterable[FileRecord]) -> None:
        """Store what another inventory says of files that were moved here. What is stored already is left out."""
        known = self.files()
        if new := [record for record in records if known.get(record["path"]) != record]:
            self.log.append(new)

    def remove(self, paths: Iterable[Path]) -> None:
        """Store that files are no longer there. Others than those of the inventory get no line."""
        known = self.files()
        names = [name for name in map(self._name, paths) if name in known]
        self.log.append([{"path": name, "size": None, "sha256": None} for name in names])

    def damage(self, *, thorough: bool, cached: bool = True, within: str = "") -> list[Damage]:
        """Return the damaged files, and the damaged lines of the inventory itself.

        Args:
            thorough: compare digests; by default only sizes.
            cached: take digests of files that have not changed from the cache (see `file_digest`).
            within: only the files of this folder.
        """
        records = [record for record in self.files().values() if record["path"].startswith(within)]
        problems = [(record["path"], self.problem(record, thorough=thorough, cached=cached)) for record in records]
        lines = [(f"{NAME}:{number}", f"is damaged: {problem}") for number, problem in self.log.damaged_lines().items()]
        return [Damage(path, problem) for path, problem in (*lines, *problems) if problem]

    def problem(self, record: FileRecord, *, thorough: bool, cached: bool = True) -> str:
        """Return what is wrong with a file; empty if nothing is."""
        for folder in self.folders:
            path = folder / record["path"]
            try:
                size = path.stat().st_size
                if size != record["size"]:
                    return f"has {size} bytes instead of {record['size']}"
                changed = thorough and file_digest(path, cached=cached) != record["sha256"]
            except FileNotFoundError:
                continue
            except OSError as error:
                return f"cannot be read: {error.strerror}"
            return "was changed: its digest differs" if changed else ""
        return "is missing"

    def locate(self, name: str) -> Path:
        """Return the path of a file: where it is moved to, if it is no longer in the folder."""
        return next((path for folder in self.folders if (path := folder / name).exists()), self.folder / name)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()
