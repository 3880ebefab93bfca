"""A folder from anybody: nothing outside it is read or written through a name or a link in it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from sea_core.errors import CONTROLS, DataError, at

MAX_NAME_BYTES = 200
"""Of a file name that a file gives: file systems allow 255, of which suffixes take a few."""


def is_file_name(text: str) -> bool:
    """Return whether a text from a file can be a file's name: one part, not hidden, without control characters."""
    if not text or text.startswith(".") or any(character in "/\\" for character in text):
        return False
    if CONTROLS.search(text) or "\n" in text or "\t" in text:
        return False
    return len(text.encode()) <= MAX_NAME_BYTES


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path lies in a folder, after every `..` and every link."""
    try:
        return path.resolve().is_relative_to(_root(folder))
    except (OSError, ValueError, RuntimeError):  # a name that is too long, a null character, a circle of links
        return False


def require_contained(folder: Path, allowed: Collection[str] = ()) -> None:
    """Check that no link in a folder or its subfolders leads out of it, and that it holds files and folders only.

    Args:
        allowed: suffixes of files that may be links to anywhere.

    Raises:
        DataError: it names the link, or the entry that is a pipe or a device.
    """
    waiting = [folder] if folder.is_dir() else []
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (PermissionError, FileNotFoundError):
            continue  # nobody can read it, or a worker has just moved it
        for entry in entries:
            if entry.is_symlink():
                if Path(entry.name).suffix not in allowed and not is_inside(Path(entry.path), folder):
                    raise _link_error(entry.path, folder)
            elif entry.is_dir():
                waiting.append(Path(entry.path))
            elif not entry.is_file() and os.path.lexists(entry.path):
                raise DataError(
                    "this is neither a file nor a folder",
                    where=at(entry.path),
                    hint="Delete it: pipes and devices in a folder from somebody else may block or fill this machine.",
                )


def _root(folder: Path) -> Path:
    """Return the resolved folder; for a snapshot in the hub's cache, whose files are links, the folder of its model."""
    resolved = folder.resolve()
    for path in (resolved, *resolved.parents):
        if path.parent.name == "snapshots" and (path.parent.parent / "blobs").is_dir():
            return path.parent.parent
    return resolved


def _link_error(link: str, folder: Path) -> DataError:
    return DataError(
        f"this link leads out of the folder {folder}",
        where=at(link),
        hint="A folder may come from anybody, so links out of it are not followed. If you made the link, put a copy of "
        "the file in its place.",
    )
