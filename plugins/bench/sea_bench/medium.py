"""A medium on disk: a file, or, of a joint modality such as `image+audio`, a folder with one file of each it shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sea_bench.case import Case
from sea_bench.layout import modality_parts
from sea_core.data.media_paths import find_modality
from sea_core.errors import DataError
from sea_core.runs.digests import file_digest, sha256

CONTENT_TYPES: Mapping[str, str] = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
}
"""The suffixes of media that a page shows, and how it sends them: a browser only shows them, and never runs them."""
HINT = "Give each case a folder with at most one file of each modality."


def media_files(path: Path, modality: str) -> dict[str, Path]:
    """Return the files of a medium by modality. A file of a plugin's modality is named after it, such as `eeg.npy`.

    Raises:
        DataError: a folder has no file, two of one modality, or something else.
    """
    parts = modality_parts(modality)
    if not path.is_dir():
        return {modality: path}
    found: dict[str, Path] = {}
    for file in visible(path):
        part = find_modality(file.name) or file.stem
        if part not in parts or not file.is_file():
            raise DataError(f"its {file.name!r} is no file of {' or '.join(parts)}", hint=HINT, where=str(path))
        if part in found:
            what = f"it has two files of {part}, {found[part].name!r} and {file.name!r}"
            raise DataError(what, hint=HINT, where=str(path))
        found[part] = file
    if not found:
        raise DataError("its folder is empty", hint=HINT, where=str(path))
    return found


def read_digest(case: Case) -> str:
    """Return the digest of a case's medium. Raises DataError if it is not the one that was built."""
    assert case.media is not None
    digest = medium_digest(case.media, case.modality)
    if case.media_sha256 not in (None, digest):
        hint = "Re-run the `sea bench build` command, which makes it again."
        raise DataError("the medium was changed since the benchmark was built: its digest differs", hint=hint)
    return digest


def visible(folder: Path) -> list[Path]:
    """Return what is in a folder, in order; nothing if there is no such folder, and no hidden files."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if not path.name.startswith(".")]


def medium_digest(path: Path, modality: str, *, cached: bool = False) -> str:
    """Return the SHA-256 of a medium: of its file, or of the names and digests of its files.

    Args:
        cached: do not read again files that have not changed (see `file_digest`).

    Raises:
        DataError: the files are not those of one medium.
    """
    if not path.is_dir():
        return file_digest(path, cached=cached)
    files = media_files(path, modality).values()
    return joint_digest({file.name: file_digest(file, cached=cached) for file in files})


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return one digest for the files of a medium, from the digest of each by its name."""
    return sha256("".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode())
