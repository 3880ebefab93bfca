"""A folder of real media: its files, their digest, and their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import DataError
from sea_core.runs.containment import require_contained
from sea_core.runs.digests import sha256
from sea_core.schema import require_text_name

if TYPE_CHECKING:
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM

NOT_MEDIA = {".jsonl", ".json", ".csv", ".txt", ".md"}
"""Suffixes of files that may be in a media folder and are not media."""


def media_files(folder: Path) -> list[Path]:
    """Return the media in a folder and its subfolders, sorted by name; hidden files and folders are skipped.

    Raises:
        DataError: there is no such folder, or it contains no media.
    """
    hint = "Give a folder of media files."
    if not folder.is_dir():
        raise DataError("there is no such file or folder", hint=hint, where=str(folder))
    require_contained(folder)
    hidden = [path for path in folder.rglob(".*") if path != folder]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() not in NOT_MEDIA)
    visible = [path for path in files if not any(path == h or h in path.parents for h in hidden)]
    if not visible:
        raise DataError("there are no media in this folder", hint=hint, where=str(folder))
    for path in visible:
        require_text_name(path)
    return visible


def sorted_by_content(files: Sequence[Path]) -> list[Path]:
    """Return the files in an order that does not depend on their names."""
    return sorted(files, key=lambda path: sha256(path.read_bytes()))


def media_digest(files: Sequence[Path]) -> str:
    """Return a digest of the files' contents that does not depend on their names or folders."""
    return sha256(" ".join(sorted(sha256(path.read_bytes()) for path in files)).encode())[:16]


def encode_files(mllm: MLLM, files: Sequence[Path]) -> Iterator[Embedding]:
    """Yield M(z) of each file. Raises DataError for a file that cannot be read.

    One at a time, because a padded batch may round differently.
    """
    for path in files:
        yield from mllm.encode([mllm.adapter.read_media(path, mllm.processor)])
