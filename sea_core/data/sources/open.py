"""Open any source of records: a file, a folder, or a data set of the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sea_core.data.sources import hub
from sea_core.data.sources.arrow import ARROW_MAGIC, PARQUET_MAGIC, STREAM_MAGIC, arrow_values, parquet_values
from sea_core.data.sources.csv import csv_values
from sea_core.data.sources.folder import folder_values, is_data_folder
from sea_core.data.sources.json import json_values
from sea_core.data.sources.text import Item, prompt_values, text_encoding, text_lines
from sea_core.errors import DataError, nearest
from sea_core.runs.containment import require_contained

UNSUPPORTED = tuple(".xlsx .xls .zip .bz2 .zst .tar .tgz .pkl .yaml .yml".split())
COMPRESSED = ("", ".gz", ".xz")
TEXT_TYPES = (".jsonl", ".json", ".csv", ".tsv", ".txt")
READABLE = (*(suffix + compressed for suffix in TEXT_TYPES for compressed in COMPRESSED), ".parquet", ".arrow")
READABLE_TYPES = ".jsonl, .json, .csv, .tsv, .txt (each also .gz or .xz), .parquet, .arrow"
LISTED = 8
RUN_MANIFEST = "run.json"
"""A folder with this file is a run folder."""


@dataclass(frozen=True, slots=True)
class Source:
    """Values with their places.

    Attributes:
        path: the file, the folder, or the name of a hub data set.
        items: the values, read on demand.
        digest: returns the SHA-256 of what is read, so that a run detects that its data changed.
        untyped: whether all values are text, as in CSV.
        folder: what relative paths in it are relative to.
        encoding: of a text file, where it is not UTF-8.
    """

    path: Path
    items: Iterator[Item]
    digest: Callable[[], str]
    untyped: bool = False
    folder: Path = Path()
    encoding: str = ""


def require_source(path: Path) -> None:
    """Raise DataError for a source that is not there, or a file that is empty or cannot be of a known type.

    Nothing is read, and data sets of the hub are not looked up: for commands that import much before they read.
    """
    if str(path).startswith(hub.PREFIX):
        hub.parse_name(str(path))
    elif not path.is_dir():
        _check_file(path)
        if not path.stat().st_size:
            raise no_records_error(path)


def no_records_error(path: Path | str) -> DataError:
    """Return the error for a source without a record."""
    hint = "Give a file with one JSON object per line, a JSON list, or a table."
    return DataError("The file holds no records.", where=str(path), hint=hint)


def open_source(path: Path, split: str | None = None) -> Source:
    """Open a file, a folder, or `hf:owner/name:config@revision`.

    Raises:
        DataError: it does not exist, is of another type, or has no such split.
    """
    if str(path).startswith(hub.PREFIX):
        items, identity = hub.hub_values(path, split)
        return Source(path, items, lambda: hashlib.sha256(identity.encode()).hexdigest(), folder=path)
    if path.is_dir():
        return _open_folder(path, split)
    _check_file(path)
    if split is not None:
        raise DataError("A single file has no splits.", where=str(path), hint="Omit --split.")
    if reader := _find_table_reader(path):
        return Source(path, reader(path), lambda: _digest([path]), folder=path.parent)
    encoding = text_encoding(path)
    is_csv = _suffix(path) in (".csv", ".tsv")
    read_text = csv_values if is_csv else prompt_values if _is_plain_text(path, encoding) else json_values
    named = "" if encoding.startswith("utf-8") else encoding
    return Source(path, read_text(path, encoding), lambda: _digest([path]), is_csv, path.parent, named)


def _open_folder(path: Path, split: str | None) -> Source:
    if runs := [run for run in (path, *sorted(path.iterdir())) if (run / RUN_MANIFEST).is_file()]:
        what = "This is a run folder" if runs[0] == path else f"This folder contains run folders, such as {runs[0]}"
        hint = f"Give the text safety set. To see a run: sea show {runs[0]}"
        raise DataError(f"{what}, but a data file was expected.", where=str(path), hint=hint)
    require_contained(path)
    if not is_data_folder(path):
        names = sorted(entry.name for entry in path.iterdir() if entry.name.endswith(READABLE))
        listed = ", ".join(names[:LISTED])
        hint = f"Give one of its files: {listed}." if names else f"It has no files of these types: {READABLE_TYPES}."
        raise DataError("This is a folder, but a file was expected.", where=str(path), hint=hint)
    items, files = folder_values(path, split)
    prefix = f"split {split}\n"  # two splits of a folder are different data
    return Source(path, items, lambda: _digest(files, prefix, path), folder=path)


def _find_table_reader(path: Path) -> Callable[[Path], Iterator[Item]] | None:
    """Return the reader for a Parquet or Arrow file by its first bytes; None for a text file."""
    try:
        with path.open("rb") as file:
            start = file.read(len(ARROW_MAGIC))
    except OSError as error:
        raise DataError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), hint="Check its permissions."
        ) from None
    if start.startswith(PARQUET_MAGIC):
        return parquet_values
    if start == ARROW_MAGIC or start.startswith(STREAM_MAGIC):
        return arrow_values
    return None


def _suffix(path: Path) -> str:
    """Return the last suffix of a file that is not of a compression."""
    return next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() not in COMPRESSED), "")


def _is_plain_text(path: Path, encoding: str) -> bool:
    """Return whether each line of the file is a text of its own, rather than JSON."""
    if _suffix(path) != ".txt":
        return False
    lines = (line for _, line in text_lines(path, encoding) if isinstance(line, str))
    return not next((line for line in lines if line.strip()), "").lstrip().startswith(("{", "["))


def _check_file(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        what = f"This is a link to {path.readlink()}, which does not exist or leads back to the link."
        raise DataError(what, where=str(path), hint="Give the file itself, or make the link anew: ln -sfn FILE LINK")
    if not path.exists():
        raise DataError("There is no such file.", where=str(path), hint=_suggest_file(path))
    if not path.is_file():  # it is opened several times
        raise DataError("This is not a regular file (a pipe?).", where=str(path), hint="Save its content to a file.")
    if path.suffix.lower() in UNSUPPORTED:
        raise DataError(
            f"{path.suffix} files are not supported.",
            where=str(path),
            hint=f"Unpack it, or save the records as one of: {READABLE_TYPES}. If {path.name} has only the wrong "
            "suffix, rename it.",
        )


def _suggest_file(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"There is no folder {parent} either. Check the path. A hub data set is hf:OWNER/NAME."
    entries = (entry for entry in sorted(parent.iterdir()) if entry.name.endswith(READABLE) and entry.exists())
    by_stem = {_stem(entry.name): entry for entry in entries}
    if close := nearest(_stem(path.name), by_stem):  # without suffixes, which many files share
        return f"Did you mean {by_stem[close]} ?"
    return f"Check the path. Give a file ({READABLE_TYPES}), a folder of one, or hf:OWNER/NAME."


def _stem(name: str) -> str:
    return name.partition(".")[0] or name


def _digest(files: list[Path], prefix: str = "", folder: Path = Path()) -> str:
    """Return the SHA-256 of a file, or of several files with their paths in the folder and a prefix."""
    if len(files) == 1 and not prefix:
        with files[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256(prefix.encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(path.relative_to(folder).as_posix().encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
