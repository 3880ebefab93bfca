"""A case of a published set, and where its media are."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sea_core.errors import DataError
from sea_core.runs.atomic import atomic_write

ARCHIVE = "data.tar"


@dataclass(frozen=True)
class PublishedMedium:
    """A file of a published set, as it lies in a folder, or in the archive `data.tar` of that folder."""

    path: Path

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    def copy(self, target: Path) -> None:
        """Copy the file. Raises DataError if it is neither in its folder nor in the archive."""
        if self.path.is_file():
            with atomic_write(target) as partial:
                shutil.copyfile(self.path, partial)
            return
        archive = self.path.parent / ARCHIVE
        if not archive.is_file():
            raise DataError(
                f"there is no file {self.path.name} and no {ARCHIVE} in {self.path.parent}",
                hint="Download the set's media too, into the folders that its files name.",
            )
        try:
            with tarfile.open(archive) as opened, atomic_write(target) as partial:
                member = opened.extractfile(self.path.name)
                if member is None:
                    raise KeyError
                with partial.open("wb") as out:
                    shutil.copyfileobj(member, out)
        except (KeyError, tarfile.TarError, EOFError) as error:
            what = f"the archive has no file {self.path.name}, or is damaged"
            raise DataError(what, hint="Download it again.", where=str(archive)) from error


@dataclass(frozen=True)
class PublishedCase:
    """One question of a published set, in one or several tasks.

    Attributes:
        texts: the text of each task; None where the medium contains the whole question.
        media: the media of each task by modality; a task that is not in it has none.
        benign: whether refusing it is the failure.
        phrase: the key phrase; empty if the set has none.
    """

    id: str
    scenario: str
    texts: Mapping[str, str | None]
    media: Mapping[str, Mapping[str, PublishedMedium]] = field(default_factory=dict)
    benign: bool = False
    phrase: str = ""
