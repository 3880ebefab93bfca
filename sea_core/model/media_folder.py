"""A folder of real media, as the encoder sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import DataError
from sea_core.runs.atomic import sha256

if TYPE_CHECKING:
    from sea_core.model.embedding import Embedding
    from sea_core.model.mllm import MLLM

NOTES = {".jsonl", ".json", ".csv", ".txt", ".md"}
"""Files that lie beside media and are none."""


def media_files(folder: Path) -> list[Path]:
    """Return the media in a folder and the folders in it, in the order of their names.

    Raises:
        DataError: there is no such folder, or nothing in it.
    """
    hint = "Give a folder of media files."
    if not folder.is_dir():
        raise DataError("there is no such file or folder", hint=hint, where=str(folder))
    hidden = [path for path in folder.rglob(".*") if path != folder]
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() not in NOTES)
    found = [path for path in found if not any(path == h or h in path.parents for h in hidden)]
    if not found:
        raise DataError("there are no media in this folder", hint=hint, where=str(folder))
    return found


def sorted_by_content(files: Sequence[Path]) -> list[Path]:
    """Return the files in an order that does not hang on their names."""
    return sorted(files, key=lambda path: sha256(path.read_bytes()))


def media_digest(files: Sequence[Path]) -> str:
    """Return a digest that changes when the media do, wherever they lie."""
    return sha256(" ".join(sorted(sha256(path.read_bytes()) for path in files)).encode())[:16]


def encode_files(mllm: MLLM, files: Sequence[Path]) -> Iterator[Embedding]:
    """Yield M(z) of each file, one at a time: a padded batch may round otherwise. Raises DataError for a bad file."""
    for path in files:
        yield from mllm.encode([mllm.adapter.read_media(path, mllm.processor)])
