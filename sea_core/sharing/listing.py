"""The list of a shared folder's files, `shared.json`: nothing else of it is read, and nothing without its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from annotated_types import Ge

from sea_core.errors import RunError
from sea_core.runs.containment import is_file_name
from sea_core.runs.digests import file_digest
from sea_core.runs.manifest import read_manifest, write_sealed

NAME = "shared.json"
CARD = "README.md"
MAX_BYTES = 64 << 20
"""Of the list itself: enough for some 500,000 files."""
MAX_DEPTH = 6
"""How deep the folders of a shared folder may be nested."""
HINT = "Do not use this source: SEA writes no such list."


@dataclass(frozen=True, slots=True)
class ListedFile:
    """The size and the SHA-256 of a file."""

    size: Annotated[int, Ge(0)]
    sha256: str


@dataclass(frozen=True)
class Listing:
    """What `sea push` says of a folder.

    Attributes:
        manifest: the manifest of this kind of folder, which says what it is: `run.json`.
        what: what it is, in words. licence: of its content, as its owner named it.
        with_text: whether texts of people, such as harmful instructions, are in it.
        fingerprint: of the model that it belongs to; empty for none.
        sea: the version of sea-core.
        files: every file, by its path relative to the folder.
    """

    manifest: str
    what: str
    licence: str
    with_text: bool
    fingerprint: str
    sea: str
    files: Mapping[str, ListedFile]

    @property
    def size(self) -> int:
        """The number of bytes of all files."""
        return sum(file.size for file in self.files.values())


def list_files(files: Mapping[str, Path]) -> dict[str, ListedFile]:
    """Return the sizes and digests of files by their shared names."""
    return {name: ListedFile(path.stat().st_size, file_digest(path)) for name, path in sorted(files.items())}


def write_listing(path: Path, listing: Listing) -> None:
    """Write a list, with a checksum of its own."""
    write_sealed(path, asdict(listing))


def read_listing(path: Path, where: str) -> Listing:
    """Read the list of a folder that may come from anybody.

    Args:
        where: what it is the list of, for messages.

    Raises:
        RunError: it is no list, or names something else than files of one folder.
    """
    hint = "Pull from a folder or repository that `sea push` has made."
    listing: Listing = read_manifest(path, Listing, noun=f"shared folder ({where})", hint=hint)
    folders = {parent.as_posix() for name in listing.files for parent in PurePosixPath(name).parents}
    for name in listing.files:
        parts = name.split("/")
        if len(parts) > MAX_DEPTH or name == NAME or not all(map(is_file_name, parts)) or name in folders:
            raise RunError(f"its list names {name!r}, which is no file of a shared folder", hint=HINT, where=where)
    if len({name.casefold() for name in listing.files}) < len(listing.files):
        raise RunError("its list has two names that differ in capitals only", hint=HINT, where=where)
    if listing.manifest not in listing.files:
        raise RunError(f"its list has no {listing.manifest!r}", hint=HINT, where=where)
    return listing
