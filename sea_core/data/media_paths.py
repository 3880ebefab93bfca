"""Paths and URLs of media: their modality by suffix, whether they exist, and relative paths for another folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from sea_core.runs.containment import is_inside

MEDIA_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "image": tuple(
        ".png .jpg .jpeg .jpe .gif .bmp .webp .tif .tiff .avif .heic .heif .svg .ico .ppm .pgm .pbm .pnm".split()
    ),
    "video": tuple(".mp4 .m4v .mov .qt .webm .mkv .avi .mpg .mpeg .mpe .wmv .flv .3gp .3g2 .ogv".split()),
    "audio": tuple(".wav .mp3 .mp2 .flac .ogg .oga .opus .m4a .aac .aif .aiff .aifc .au .snd .wma .amr .weba".split()),
}
"""Listed here because the `mimetypes` module depends on the machine's own tables."""

MAX_NAME, MAX_PATH = 255, 4095
"""Bytes of a file name and of a path, on the file systems in use."""


def is_url(medium: str) -> bool:
    """Return whether a medium is a URL (`https://...`) or inline data (`data:...`) rather than a path."""
    return "://" in medium or medium.startswith("data:")


def has_long_part(path: str) -> bool:
    """Return whether a part of a path is longer than any file name can be: it is a medium as text, not a path."""
    return len(os.fsencode(path)) > MAX_PATH or any(len(os.fsencode(part)) > MAX_NAME for part in path.split("/"))


def file_problem(path: Path | str) -> str:
    """Return why a path is not that of a file; empty if it is."""
    try:
        is_file = stat.S_ISREG(Path(path).stat().st_mode)
    except FileNotFoundError:
        return f"there is no file {path}"
    except (OSError, ValueError) as error:
        return f"{path}: {getattr(error, 'strerror', None) or error}"
    return "" if is_file else f"{path} is not a file"


def locate_medium(medium: str, folder: Path, root: Path | None = None) -> Path | None:
    """Return the path of a medium that data name; None if it leads out of the folders that data may name files in.

    Args:
        folder: that of the data, which relative paths are relative to.
        root: another folder, which the user allows; a relative path is looked up there first.
    """
    path = Path(medium)
    if root is not None:
        moved = root / (path.relative_to(folder) if path.is_relative_to(folder) else path)
        if is_inside(moved, root) and not file_problem(moved):
            return moved
    return path if any(is_inside(path, each) for each in (folder, *([root] if root else []))) else None


def find_modality(medium: str) -> str | None:
    """Return image, video or audio by the suffix of a path or URL; None if the suffix is unknown."""
    if medium.startswith("data:"):
        modality = medium.removeprefix("data:").partition("/")[0]
        return modality if modality in MEDIA_SUFFIXES else None
    name = re.split("[?#]", medium)[0] if is_url(medium) else medium
    suffix = Path(name).suffix.lower()
    return next((modality for modality, suffixes in MEDIA_SUFFIXES.items() if suffix in suffixes), None)


def relative_media_path(folder: Path, medium: str) -> str:
    """Return a medium's path relative to `folder`; URLs, and absolute paths outside the folder, stay as they are."""
    path, base = Path(medium), folder.absolute()
    if is_url(medium):
        return medium
    if ".." not in path.parts and path.absolute().is_relative_to(base):
        return str(path.absolute().relative_to(base))
    # `..` goes up from where a link points to, so folders are resolved; the file keeps its own name, which has the
    # suffix.
    return medium if path.is_absolute() else os.path.relpath(path.parent.resolve() / path.name, base.resolve())
