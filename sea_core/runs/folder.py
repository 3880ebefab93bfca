"""A folder that one command writes and can resume: a manifest, one writer at a time, atomic updates."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from sea_core.errors import RunError, nearest
from sea_core.runs.containment import require_contained
from sea_core.runs.folder_kind import find_folder_kind
from sea_core.runs.inventory import Damage, Inventory
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked
from sea_core.runs.manifest import (
    SAME_SETTINGS_HINT,
    Manifest,
    identity_changes,
    normalise,
    read_manifest,
    require_same_identity,
    write_manifest,
)

log = logging.getLogger("sea")

M = TypeVar("M", bound=Manifest)

LOCK = ".lock"
ADDRESS = re.compile(r"(?P<scheme>s3|gs|az):/+(?P<rest>.+)")
"""An address of object storage, as `Path` writes it."""


def require_distinct(folders: Iterable[Path]) -> None:
    """Raise RunError if a folder is given twice, by the same name or by another, such as a link."""
    names: dict[Path, Path] = {}
    for folder in folders:
        place = folder.resolve()
        if place in names:
            other = f", also as {names[place]}" if names[place] != folder else ""
            raise RunError(f"the run {folder} is given twice{other}", hint="Leave one out.")
        names[place] = folder


class RunFolder(Generic[M]):
    """An opened run folder. Reading is always possible; one process at a time writes.

    A subclass sets the four class variables and opens the files of its kind. `EmbeddingRun` for example:

        manifest = EmbeddingManifest(identity=EmbeddingIdentity(...), metadata=EmbeddingMetadata(...))
        run = EmbeddingRun.start(Path("runs/demo"), manifest)  # creates the folder, or resumes the run in it
        with run.writing():                                    # refused while another process writes
            run.resolve(ResolvedSettings(lr=0.1))
            run.add(record, features)

        run = EmbeddingRun(Path("runs/demo"))                  # opens it; also while another process writes
        run.manifest.identity.model.plugin

    Args:
        may_be_damaged: open a folder with damaged files too, for the command that makes them again.

    Attributes:
        folder: the path.
        manifest: as it was when the folder was opened, started or locked by this object.

    Raises:
        RunError: the folder has no manifest, or one that does not match `MANIFEST_TYPE`; or a file is damaged.
    """

    MANIFEST_TYPE: ClassVar[type[Manifest]]
    """The type of the manifest."""
    MANIFEST_NAME: ClassVar[str]
    """The name of the manifest's file."""
    NOUN: ClassVar[str]
    """The kind of folder, for messages."""
    COMMAND: ClassVar[str]
    """The command that writes such a folder, for messages."""
    OTHER_COMMANDS: ClassVar[tuple[str, ...]] = ()
    """Further commands that write such a folder."""
    RESULTS: ClassVar[str] = ""
    """A file by which a folder of this kind is known when its manifest is gone."""
    is_in_block: bool = False
    """Whether what is written goes to a block that a worker has claimed (see `continued_in`)."""

    def __init__(self, folder: Path | str, *, may_be_damaged: bool = False) -> None:
        self.folder = Path(folder)
        require_contained(self.folder)
        if not (self.folder / self.MANIFEST_NAME).is_file():
            raise self._not_this_kind_error()
        self.manifest = self._read()
        self.open_files()
        if not may_be_damaged:
            self.require_whole()

    def open_files(self) -> None:
        """Set the attributes for the files of this kind of folder."""

    @classmethod
    def start(cls, folder: Path | str, manifest: M, note: Callable[[str], None] = log.info) -> Self:
        """Start a run, or resume the one in the folder.

        Args:
            manifest: of the command. Where a run is resumed, its identity must be the stored one; its metadata
                replaces the stored metadata.
            note: shows a remark: that a run in which nothing had been made is started anew with other settings.

        Raises:
            RunError: the folder contains a run with another identity, or other files, or is being written.
        """
        folder = Path(folder)
        path, manifest = folder / cls.MANIFEST_NAME, normalise(manifest)
        if not path.is_file():
            _require_empty(folder, cls.NOUN)
            with locked(folder / LOCK, folder, parents=True):
                if not path.is_file():
                    write_manifest(path, manifest)
        run = cls(folder, may_be_damaged=True)
        if run._merged_manifest(manifest) != run.manifest:
            with locked(folder / LOCK, folder):
                run._store_resumed(manifest, note)
        return run

    @classmethod
    def check_start(cls, folder: Path | str, manifest: M) -> None:
        """Raise RunError if `start` would, but for a folder that is being written. Nothing is written."""
        folder = Path(folder)
        if (folder / cls.MANIFEST_NAME).is_file():
            cls(folder, may_be_damaged=True)._merged_manifest(normalise(manifest))
        else:
            _require_empty(folder, cls.NOUN)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the folder for this process. Raises RunError when another process has locked it."""
        with locked(self.folder / LOCK, self.folder):
            self.manifest = self._read()
            for journal in self.journals():
                journal.put_aside_damage()
            yield

    def journals(self) -> Sequence[JsonlLog[Any]]:
        """Return the folder's journals."""
        return ()

    def continued_in(self, folder: Path) -> Self:
        """Return this run for a worker that has claimed a block: its journals go on in the folder of the block.

        Its manifest is never written.
        """
        continued = copy(self)
        continued.is_in_block = True
        for name, value in vars(self).items():
            if isinstance(value, JsonlLog):
                setattr(continued, name, value.continued_in(folder))
        return continued

    def damage(self) -> Sequence[Damage]:
        """Return the damaged files, as far as their sizes show it."""
        return Inventory(self.folder).damage(thorough=False)

    def require_whole(self) -> None:
        """Raise RunError for a folder with damaged files: nothing in it is believed unread."""
        if damaged := self.damage():
            more = f", and {len(damaged) - 1} more" if len(damaged) > 1 else ""
            raise RunError(
                f"{damaged[0].path} {damaged[0].problem}{more}",
                hint=f"Re-run the `{self.COMMAND}` command that made the folder: it puts damaged files aside and makes "
                f"what they contained again. `sea check {self.folder}` lists all of them.",
                where=str(self.folder),
            )

    def can_be_replaced(self) -> bool:
        """Return whether the folder holds no results yet, so that a run with other settings may replace it."""
        return False

    def discard(self) -> None:
        """Delete what was written under an identity that another one replaces (see `can_be_replaced`)."""

    def _store_resumed(self, requested: M, note: Callable[[str], None]) -> None:
        """Store the manifest of a command that resumes the run. The folder is locked."""
        self.manifest = self._read()
        resumed = self._merged_manifest(requested)
        if resumed.identity != self.manifest.identity:
            self.discard()
            changes = "; ".join(identity_changes(self.manifest.identity, resumed.identity))
            note(f"nothing had been made in {self.folder}: it is started anew, with {changes}")
        self._write(resumed)

    def _merged_manifest(self, requested: M) -> M:
        """Return the manifest of the run when a command with the requested one has resumed it."""
        if requested.identity != self.manifest.identity and self.can_be_replaced():
            return requested
        require_same_identity(
            self.folder,
            self.manifest.identity,
            requested.identity,
            data_path=self._data_path(requested),
            hint=self.differing_hint(requested),
        )
        return self.manifest.resumed_with(requested)

    def differing_hint(self, requested: M) -> str:
        """Return what to do where the folder contains a run with other settings."""
        return SAME_SETTINGS_HINT

    def _not_this_kind_error(self) -> RunError:
        """Return the error for a folder without a manifest of this kind, which says what the folder is."""
        folder = self.folder
        if address := ADDRESS.fullmatch(str(folder)):
            there = f"{address['scheme']}://{address['rest']}"
            hint = f"Get it into a folder first: sea pull {there} FOLDER"
            return RunError(f"{there} lies in object storage, and this command reads folders", hint=hint)
        commands = " or ".join(f"`{command}`" for command in (self.COMMAND, *self.OTHER_COMMANDS))
        hint = f"Pass a folder of {commands}."
        if not folder.exists():
            return RunError(f"there is no folder {folder}", hint=f"{self._nearest_folder()}{hint}")
        if not folder.is_dir():
            return RunError(f"{folder} is a file, but a {self.NOUN} is a folder", hint=hint)
        kind = find_folder_kind(folder)
        if self.RESULTS and not kind and (folder / self.RESULTS).is_file():
            return RunError(f"{folder} is a {self.NOUN} whose {self.MANIFEST_NAME} is gone", hint=self._restore_hint())
        if kind and kind.shown_by:
            hint += f" To see this one: {kind.shown_by} {folder}"
        found = f"it is {kind.noun}" if kind else f"it has no {self.MANIFEST_NAME}"
        return RunError(f"{folder} is not a {self.NOUN}: {found}", hint=hint)

    def _nearest_folder(self) -> str:
        """Return a question: whether a folder of this kind and of a similar name beside this one was meant."""
        beside = [path.parent.name for path in self.folder.parent.glob(f"*/{self.MANIFEST_NAME}")]
        close = nearest(self.folder.name, beside)
        return f"Did you mean {self.folder.with_name(close)}? " if close else "Check the path. "

    def _data_path(self, requested: M) -> str:
        """Return the path of the requested data, for messages; empty where the folder has none."""
        return ""

    def _remaining_results(self) -> str:
        """Return one sentence on the results that a folder with a damaged manifest still has, or nothing."""
        return ""

    def _restore_hint(self) -> str:
        """Return what to do where the manifest is damaged or gone."""
        return (
            f"{self._remaining_results()} Restore {self.MANIFEST_NAME} from a backup. If another version of SEA wrote "
            f"it, or there is no backup, make a new folder: {self.COMMAND} ... --out NEW"
        ).lstrip()

    def _read(self) -> M:
        path = self.folder / self.MANIFEST_NAME
        return cast(M, read_manifest(path, self.MANIFEST_TYPE, noun=self.NOUN, hint=self._restore_hint()))

    def _write(self, manifest: M) -> None:
        """Store a changed manifest, whole or not at all; in a block it is only kept in memory."""
        if not self.is_in_block:
            write_manifest(self.folder / self.MANIFEST_NAME, manifest)
        self.manifest = manifest


def _require_empty(folder: Path, noun: str) -> None:
    """Check that a run may be started here. A lock and files of an interrupted write do not count."""
    require_contained(folder)
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file, but a {noun} is a folder", hint="Pass a folder with --out.")
    if folder.is_dir() and any(path.name != LOCK and path.suffix != ".part" for path in folder.iterdir()):
        raise RunError(f"{folder} contains files, but no {noun}", hint="Pass a new or empty folder with --out.")
